# hazard: A partial and a lambda over a global cross two boundaries.
# %% [markdown]
# ## Load

# %%
from functools import partial

base = 10
add = lambda x: x + base
power = partial(pow, 2)

# %% [markdown]
# ## Prepare

# %%
table = {"add": add, "power": power}
base = 20

# %% [markdown]
# ## Report

# %%
print(add(1), table["add"](2), power(5), table["power"](3), table["add"] is add)
