"""Spot checks of the facts on machine learning libraries."""

import pytest

from nb2pkg.knowledge.base import shipped

CALLS = [
    ("sklearn.linear_model.LogisticRegression", "returns", "sklearn.base.RandomLearner"),
    ("sklearn.linear_model.LinearRegression", "returns", "sklearn.base.Learner"),
    ("sklearn.svm.SVC", "relation", "holds"),
    ("sklearn.cluster.KMeans", "signature", ("n_clusters",)),
    ("sklearn.pipeline.make_pipeline", "returns", "sklearn.base.MetaEstimator"),
    ("sklearn.model_selection.train_test_split", "draws_unless", "random_state"),
    ("sklearn.model_selection.cross_val_score", "draws", "numpy"),
    ("sklearn.metrics.accuracy_score", "stage", "evaluate"),
    ("sklearn.metrics.ConfusionMatrixDisplay.from_predictions", "plots", True),
    ("sklearn.datasets.load_iris", "returns", "sklearn.utils.Bunch"),
    ("sklearn.datasets.make_blobs", "draws", "numpy"),
    ("scipy.stats.norm.rvs", "draws", "numpy"),
    ("scipy.optimize.minimize", "calls", None),
    ("scipy.io.savemat", "writes_file", ("0",)),
    ("statsmodels.api.OLS", "returns", "statsmodels.Model"),
    ("statsmodels.formula.api.ols", "returns", "statsmodels.Model"),
    ("statsmodels.api.qqplot", "plots", True),
    ("statsmodels.tsa.arima.model.ARIMA", "relation", "holds"),
    ("torch.manual_seed", "seeds", "torch"),
    ("torch.randn", "draws", "torch"),
    ("torch.save", "writes_file", ("1|f",)),
    ("torch.nn.Linear", "signature", ("in_features", "out_features", "bias")),
    ("tensorflow.keras.layers.Dense", "returns", "keras.Layer"),
    ("tensorflow.keras.models.Sequential", "returns", "keras.Model"),
    ("tensorflow.random.set_seed", "seeds", "tensorflow"),
    ("xgboost.XGBClassifier", "returns", "boosting.Estimator"),
    ("lightgbm.train", "returns", "boosting.Booster"),
    ("plotly.express.scatter", "returns", "plotly.graph_objects.Figure"),
    ("imblearn.over_sampling.SMOTE", "returns", "sklearn.base.RandomEstimator"),
    ("nltk.download", "setting", True),
]

METHODS = [
    ("sklearn.base.Estimator", "fit", "mutates", ("self",)),
    ("sklearn.base.Estimator", "fit", "draws", ""),
    ("sklearn.base.RandomEstimator", "fit", "draws", "numpy"),
    ("sklearn.base.RandomEstimator", "predict", "mutates", ()),
    ("sklearn.base.MetaEstimator", "fit", "draws", "numpy"),
    ("statsmodels.Model", "fit", "returns", "statsmodels.Results"),
    ("torch.Tensor", "add_", "writes", ("self",)),
    ("torch.Tensor", "mean", "relation", "view"),
    ("torch.nn.Module", "__call__", "draws", "torch"),
    ("keras.Model", "fit", "returns", "keras.callbacks.History"),
    ("boosting.Estimator", "fit", "mutates", ("self", "callbacks")),
    ("plotly.graph_objects.Figure", "add_bar", "relation", "same"),
]


@pytest.mark.parametrize(("name", "key", "value"), CALLS)
def test_call(name, key, value):
    found = shipped().call(name)
    assert found is not None
    assert getattr(found, key) == value if value is not None else getattr(found, key)


@pytest.mark.parametrize(("owner", "name", "key", "value"), METHODS)
def test_method(owner, name, key, value):
    found = shipped().method(owner, name)
    assert found is not None
    assert getattr(found, key) == value


def test_unlisted_torch_functions_are_unknown():
    assert shipped().call("torch.no_such_function") is None
