# hazard: A default_rng object goes on where the section before left it.
# %% [markdown]
# ## Load

# %%
import numpy as np

rng = np.random.default_rng(0)

# %% [markdown]
# ## Prepare

# %%
first = rng.integers(0, 100, 3)

# %% [markdown]
# ## Report

# %%
print(first, rng.integers(0, 100, 3), round(rng.normal(), 6))
