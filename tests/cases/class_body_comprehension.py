# hazard: A comprehension in a class body sees the globals and not the class.
# %% [markdown]
# ## Load

# %%
sizes = [1, 2, 3]
factor = 10


class Grid:
    factor = 99
    table = [s * factor for s in sizes]

# %% [markdown]
# ## Prepare

# %%
factor = 0

# %% [markdown]
# ## Report

# %%
print(Grid.table, Grid.factor)
