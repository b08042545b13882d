# hazard: The memory order of an array changes sums and ravel.
# %% [markdown]
# ## Load

# %%
import numpy as np

a = np.asfortranarray(np.arange(6.0).reshape(2, 3))
b = a[:, ::2]
c = np.broadcast_to(np.arange(2), (2, 2))

# %% [markdown]
# ## Prepare

# %%
total = a.sum()

# %% [markdown]
# ## Report

# %%
print(a.flags.f_contiguous, a.flags.c_contiguous, a.ravel("K"), a.strides)
print(b.flags.contiguous, b.base is not None, c.flags.writeable, total)
