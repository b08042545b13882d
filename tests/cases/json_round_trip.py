# hazard: JSON changes keys and tuples, which a boundary must not.
# %% [markdown]
# ## Load

# %%
import json

original = {1: (1, 2), "s": {"a"}}
with open("data.json", "w") as f:
    json.dump({"1": [1, 2]}, f)

# %% [markdown]
# ## Prepare

# %%
with open("data.json") as f:
    loaded = json.load(f)

# %% [markdown]
# ## Report

# %%
print(original, loaded, type(original[1]).__name__, type(loaded["1"]).__name__)
