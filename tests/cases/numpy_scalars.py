# hazard: A NumPy scalar is not a Python number.
# %% [markdown]
# ## Load

# %%
import numpy as np

a = np.float32(1) / 3
b = np.int64(7)
c = np.array(5)
d = np.bool_(True)

# %% [markdown]
# ## Prepare

# %%
total = a + 1

# %% [markdown]
# ## Report

# %%
print(type(a).__name__, type(b).__name__, type(c).__name__, c.shape, type(d).__name__, repr(total))
a
