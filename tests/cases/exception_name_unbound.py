# hazard: `except … as e` unbinds its name after the block.
# %% [markdown]
# ## Load

# %%
e = "mine"
errors = []

# %% [markdown]
# ## Prepare

# %%
try:
    int("x")
except ValueError as e:
    errors.append(e)

# %% [markdown]
# ## Report

# %%
print(type(errors[0]).__name__, errors[0], "e" in globals())
