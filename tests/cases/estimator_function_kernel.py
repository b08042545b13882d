# hazard: a support vector machine with a function as its kernel keeps the data that it was fitted to.
# %% [markdown]
# ## Load

# %%
import numpy as np
from sklearn.svm import SVC

X = np.arange(8.0).reshape(4, 2)
y = np.array([0, 0, 1, 1])

def kernel(a, b):
    return a @ b.T

# %% [markdown]
# ## Train

# %%
model = SVC(kernel=kernel)
model.fit(X, y);

# %% [markdown]
# ## Evaluate

# %%
X[:] = -X
print(model.predict([[1.0, 2.0], [7.0, 8.0]]))
