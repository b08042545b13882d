# hazard: A section writes a file and the next reads it.
# %% [markdown]
# ## Load

# %%
import pandas as pd

pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}).to_csv("table.csv", index=False)

# %% [markdown]
# ## Prepare

# %%
table = pd.read_csv("table.csv")
table["a"] += 1

# %% [markdown]
# ## Report

# %%
again = pd.read_csv("table.csv")
print(table["a"].tolist(), again["a"].tolist())
