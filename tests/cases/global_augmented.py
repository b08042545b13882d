# hazard: A function binds by `global` a name that no statement at module level assigns.
# %% [markdown]
# ## Load

# %%
def setup():
    global table
    table = {"n": 1}

# %% [markdown]
# ## Prepare

# %%
setup()

# %% [markdown]
# ## Report

# %%
table["n"] += 1
print(table)
