# hazard: A function seeds the global stream when it is called.
# %% [markdown]
# ## Load

# %%
import random

import numpy as np


def set_seed(seed):
    random.seed(seed)
    np.random.seed(seed)


set_seed(99)

# %% [markdown]
# ## Prepare

# %%
noise = np.random.rand(3)

# %% [markdown]
# ## Report

# %%
print(noise.round(6), np.random.rand(1).round(6), random.randint(0, 10**6))
