# hazard: A weak reference dies with the last name for its object.
# %% [markdown]
# ## Load

# %%
import weakref


class Thing:
    pass


thing = Thing()
ref = weakref.ref(thing)

# %% [markdown]
# ## Prepare

# %%
keep = [thing]

# %% [markdown]
# ## Report

# %%
print(ref() is thing)
del thing
keep.clear()
print(ref())
