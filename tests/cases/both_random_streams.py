# hazard: random and np.random are two streams, drawn from in turn.
# %% [markdown]
# ## Load

# %%
import random

import numpy as np

random.seed(1)
np.random.seed(2)

# %% [markdown]
# ## Prepare

# %%
pair = (random.random(), np.random.rand())

# %% [markdown]
# ## Report

# %%
print([round(p, 6) for p in pair], round(random.random(), 6), round(np.random.rand(), 6))
