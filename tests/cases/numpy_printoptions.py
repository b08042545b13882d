# hazard: np.set_printoptions holds for all later sections.
# %% [markdown]
# ## Load

# %%
import numpy as np

np.set_printoptions(precision=3, suppress=True)
a = np.array([1 / 3, 1e-9, 2.0])

# %% [markdown]
# ## Prepare

# %%
np.set_printoptions(threshold=5)
b = np.arange(20)

# %% [markdown]
# ## Report

# %%
print(a)
print(b)
