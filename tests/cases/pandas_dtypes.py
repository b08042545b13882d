# hazard: Categorical, period and nullable columns cross with their dtypes.
# %% [markdown]
# ## Load

# %%
import pandas as pd

df = pd.DataFrame(
    {
        "size": pd.Categorical(["s", "l", "s"], categories=["s", "m", "l"], ordered=True),
        "month": pd.period_range("2024-01", periods=3, freq="M"),
        "n": pd.array([1, None, 3], dtype="Int64"),
        "o": [1, "a", None],
    }
)

# %% [markdown]
# ## Prepare

# %%
df["big"] = df["size"] > "s"

# %% [markdown]
# ## Report

# %%
print(df)
print(df.dtypes)
print(list(df["size"].cat.categories), df["size"].cat.ordered)
