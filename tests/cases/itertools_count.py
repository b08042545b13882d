# hazard: A default argument holds an iterator that goes on counting.
# %% [markdown]
# ## Load

# %%
from itertools import count, cycle

ids = count(100)
colors = cycle("rgb")


def new(name, ids=ids):
    return f"{name}-{next(ids)}{next(colors)}"


print(new("a"))

# %% [markdown]
# ## Prepare

# %%
print(new("b"))

# %% [markdown]
# ## Report

# %%
print(new("c"), next(ids), next(colors))
