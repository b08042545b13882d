# hazard: A later star import binds a name again.
# %% [markdown]
# ## Load

# %%
from math import *

a = log(e)

# %% [markdown]
# ## Prepare

# %%
from cmath import *

b = sqrt(-4)

# %% [markdown]
# ## Report

# %%
print(a, b, sqrt(-1), floor(2.5))
