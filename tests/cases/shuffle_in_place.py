# hazard: np.random.shuffle changes both its argument and the global stream.
# %% [markdown]
# ## Load

# %%
import numpy as np

np.random.seed(11)
order = np.arange(6)

# %% [markdown]
# ## Prepare

# %%
np.random.shuffle(order)

# %% [markdown]
# ## Report

# %%
print(order, np.random.permutation(4))
