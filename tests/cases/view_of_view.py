# hazard: A reshaped transpose is changed in one section and its base read in another.
# %% [markdown]
# ## Load

# %%
import numpy as np

base = np.zeros((2, 3), dtype=int)
flipped = base.T

# %% [markdown]
# ## Prepare

# %%
flipped[0] = 7

# %% [markdown]
# ## Report

# %%
flipped[1, 1] = 8
print(base)
