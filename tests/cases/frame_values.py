# hazard: df.values is a view of the frame, which is changed in a later section.
# %% [markdown]
# ## Load

# %%
import pandas as pd

df = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
values = df.values
copied = df.to_numpy(copy=True)
row = copied[0]

# %% [markdown]
# ## Prepare

# %%
df.iloc[0, 0] = 50.0
copied[0, 0] = 70.0

# %% [markdown]
# ## Report

# %%
row[1] = 60.0
print(values, copied, row, df["a"].tolist())
