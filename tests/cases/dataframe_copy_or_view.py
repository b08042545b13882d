# hazard: A selection of a frame does not see later changes of the frame.
# %% [markdown]
# ## Load

# %%
import pandas as pd

df = pd.DataFrame({"a": [1, 2, 3], "b": [4, 5, 6]})
part = df["a"]
frame = df[["a"]]

# %% [markdown]
# ## Prepare

# %%
df.loc[0, "a"] = 100

# %% [markdown]
# ## Report

# %%
part.iloc[1] = -1
print(part.tolist(), frame["a"].tolist(), df["a"].tolist())
