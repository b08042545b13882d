# hazard: A MultiIndex, its names and a frame's attrs cross.
# %% [markdown]
# ## Load

# %%
import pandas as pd

index = pd.MultiIndex.from_product([["a", "b"], [1, 2]], names=["letter", None])
df = pd.DataFrame({("x", "p"): range(4), ("x", "q"): range(4, 8)}, index=index)
df.attrs["source"] = "made"

# %% [markdown]
# ## Prepare

# %%
totals = df.groupby(level="letter").sum()

# %% [markdown]
# ## Report

# %%
print(df)
print(totals, df.attrs, df.columns.nlevels, list(df.index.names))
