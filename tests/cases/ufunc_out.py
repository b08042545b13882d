# hazard: out= writes into an array that was made in another section.
# %% [markdown]
# ## Load

# %%
import numpy as np

buffer = np.zeros(3)
total = buffer

# %% [markdown]
# ## Prepare

# %%
np.add([1, 2, 3], [10, 20, 30], out=buffer)
np.multiply(buffer, 2, out=buffer)
None

# %% [markdown]
# ## Report

# %%
print(total, buffer is total)
