# hazard: setattr changes an object without an assignment in sight.
# %% [markdown]
# ## Load

# %%
from types import SimpleNamespace

settings = SimpleNamespace(depth=1)

# %% [markdown]
# ## Prepare

# %%
for key, value in [("depth", 5), ("width", 2)]:
    setattr(settings, key, value)

# %% [markdown]
# ## Report

# %%
print(settings)
