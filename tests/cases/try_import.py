# hazard: An import falls back to another in an except branch.
# %% [markdown]
# ## Load

# %%
try:
    import a_module_that_is_not_there as backend

    have = True
except ImportError as error:
    import json as backend

    have = False
    message = str(error)

# %% [markdown]
# ## Prepare

# %%
text = backend.dumps({"a": 1})

# %% [markdown]
# ## Report

# %%
print(have, text, backend.__name__, message)
