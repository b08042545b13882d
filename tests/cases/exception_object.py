# hazard: An exception object is kept with its cause and arguments.
# %% [markdown]
# ## Load

# %%
caught = None
try:
    try:
        {}["k"]
    except KeyError as inner:
        raise ValueError("bad", 3) from inner
except ValueError as outer:
    caught = outer

# %% [markdown]
# ## Prepare

# %%
kinds = [type(caught).__name__, type(caught.__cause__).__name__]

# %% [markdown]
# ## Report

# %%
print(kinds, caught.args, repr(caught.__cause__), caught.__traceback__ is not None)
