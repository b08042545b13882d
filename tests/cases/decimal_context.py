# hazard: getcontext().prec is a setting of the process.
# %% [markdown]
# ## Load

# %%
from decimal import Decimal, getcontext

getcontext().prec = 5

# %% [markdown]
# ## Prepare

# %%
one = Decimal(1)

# %% [markdown]
# ## Report

# %%
print(one / 3, one / 7)
