# hazard: A slice is a view of its base, which is changed in a later section.
# %% [markdown]
# ## Load

# %%
import numpy as np

a = np.arange(5)
b = a[:2]

# %% [markdown]
# ## Prepare

# %%
print(b.sum())

# %% [markdown]
# ## Report

# %%
a[0] = 100
print(b, np.shares_memory(a, b))
