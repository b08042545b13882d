# hazard: A step of a pipeline is the object that also has a name.
# %% [markdown]
# ## Load

# %%
import numpy as np
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

scaler = StandardScaler()
pipe = Pipeline([("scale", scaler), ("fit", Ridge(alpha=0.0))])
X = np.array([[0.0], [1.0], [2.0]])

# %% [markdown]
# ## Prepare

# %%
pipe.fit(X, [1, 3, 5])

# %% [markdown]
# ## Report

# %%
print(scaler.mean_, pipe.named_steps["scale"] is scaler, pipe.predict([[3.0]]).round(4))
