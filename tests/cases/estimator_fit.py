# hazard: fit changes the estimator, also inside of the list that holds it.
# %% [markdown]
# ## Load

# %%
import numpy as np
from sklearn.linear_model import LinearRegression

X = np.arange(6).reshape(-1, 1)
y = 3 * X.ravel() + 1
model = LinearRegression()
models = [("linear", model)]

# %% [markdown]
# ## Prepare

# %%
for name, m in models:
    m.fit(X, y)

# %% [markdown]
# ## Report

# %%
print(hasattr(model, "coef_"), model.coef_.round(6), models[0][1] is model)
