# hazard: from math import * binds names that no statement shows.
# %% [markdown]
# ## Load

# %%
from math import *

radius = 2

# %% [markdown]
# ## Prepare

# %%
area = pi * radius**2

# %% [markdown]
# ## Report

# %%
print(round(area, 4), floor(area), sqrt(16), e > 2)
