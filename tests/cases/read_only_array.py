# hazard: An array that may not be written to stays so.
# %% [markdown]
# ## Load

# %%
import numpy as np

a = np.arange(3)
a.flags.writeable = False

# %% [markdown]
# ## Prepare

# %%
b = a.copy()

# %% [markdown]
# ## Report

# %%
try:
    a[0] = 9
except ValueError as e:
    print("refused")
b[0] = 9
print(a, b)
