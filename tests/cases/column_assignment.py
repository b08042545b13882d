# hazard: df["c"] = … in a later section changes the frame and every name for it.
# %% [markdown]
# ## Load

# %%
import pandas as pd

df = pd.DataFrame({"a": [1, 2, 3]})
same = df

# %% [markdown]
# ## Prepare

# %%
df["b"] = df["a"] * 2
df.loc[0, "a"] = 100

# %% [markdown]
# ## Report

# %%
print(same.to_string())
print(same is df)
