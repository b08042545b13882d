# hazard: A loop over frames changes each frame that it names.
# %% [markdown]
# ## Load

# %%
import pandas as pd

train = pd.DataFrame({"a": [1, 2]})
test = pd.DataFrame({"a": [3]})

# %% [markdown]
# ## Prepare

# %%
for d in [train, test]:
    d["double"] = d["a"] * 2

# %% [markdown]
# ## Report

# %%
print(train["double"].tolist(), test["double"].tolist())
print(d is test)
