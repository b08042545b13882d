# hazard: The kind, name and frequency of an index cross.
# %% [markdown]
# ## Load

# %%
import pandas as pd

a = pd.DataFrame({"v": [1, 2, 3]})
b = pd.Series([1.0, 2.0], index=pd.date_range("2024-01-01", periods=2, freq="W"), name="w")
c = pd.Series([1, 2, 3], index=[5, 5, 7], name=0)

# %% [markdown]
# ## Prepare

# %%
a = a[a["v"] > 1]

# %% [markdown]
# ## Report

# %%
print(type(a.index).__name__, a.index.tolist(), b.index.freq, b.name, c.loc[5].tolist(), c.name)
print(type(pd.DataFrame({"v": [1]}).index).__name__)
