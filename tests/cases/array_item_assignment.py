# hazard: arr[…] = and arr.sort() change an array in place.
# %% [markdown]
# ## Load

# %%
import numpy as np

arr = np.array([3, 1, 2])

# %% [markdown]
# ## Prepare

# %%
arr[0] = 9
arr.sort()

# %% [markdown]
# ## Report

# %%
print(arr)
