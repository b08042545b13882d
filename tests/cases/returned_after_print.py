# hazard: A cell ends in a call whose last inner call returns None, but which returns a value itself.
# %% [markdown]
# ## Load

# %%
def shown(x):
    print("shown", x)
    return x + 1


# %% [markdown]
# ## Prepare

# %%
shown(1)

# %% [markdown]
# ## Report

# %%
shown(shown(2))
