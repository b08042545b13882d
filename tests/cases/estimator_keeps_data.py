# hazard: a model of neighbours keeps the array that it was fitted to, which changes afterwards.
# %% [markdown]
# ## Load

# %%
import numpy as np
from sklearn.neighbors import KNeighborsRegressor

X = np.arange(8.0).reshape(4, 2)
y = np.array([0.0, 1.0, 2.0, 3.0])

# %% [markdown]
# ## Train

# %%
model = KNeighborsRegressor(n_neighbors=1, algorithm="brute")
model.fit(X, y);

# %% [markdown]
# ## Evaluate

# %%
X[0] = [100.0, 100.0]
print(model.predict([[100.0, 100.0]]), np.shares_memory(model._fit_X, X))
