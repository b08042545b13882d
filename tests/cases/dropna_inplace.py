# hazard: An inplace=True method returns None and changes the frame.
# %% [markdown]
# ## Load

# %%
import pandas as pd

df = pd.DataFrame({"a": [1.0, None, 3.0], "b": ["x", "y", None]})

# %% [markdown]
# ## Prepare

# %%
df.dropna(inplace=True)
df.reset_index(drop=True, inplace=True)

# %% [markdown]
# ## Report

# %%
print(df)
print(len(df))
