# hazard: scikit-learn without random_state draws from NumPy's global stream.
# %% [markdown]
# ## Load

# %%
import numpy as np
from sklearn.model_selection import train_test_split

np.random.seed(3)
X = np.arange(20)

# %% [markdown]
# ## Prepare

# %%
train, test = train_test_split(X, test_size=0.25)
print(test)

# %% [markdown]
# ## Report

# %%
again, held = train_test_split(train, test_size=0.2)
print(held, np.random.randint(1000))
