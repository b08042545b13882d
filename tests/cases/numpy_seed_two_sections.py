# hazard: Two sections draw from the one stream that the first seeded.
# %% [markdown]
# ## Load

# %%
import numpy as np

np.random.seed(42)
first = np.random.rand(2)

# %% [markdown]
# ## Prepare

# %%
second = np.random.randint(0, 100, 3)
print(second)

# %% [markdown]
# ## Report

# %%
third = np.random.normal(size=2)
print(first.round(6), third.round(6))
