# hazard: pd.set_option and pd.options hold for all later sections.
# %% [markdown]
# ## Load

# %%
import pandas as pd

pd.set_option("display.precision", 2)
df = pd.DataFrame({"a": [1 / 3, 2 / 3], "b": [1.23456, 7.0]})

# %% [markdown]
# ## Prepare

# %%
pd.options.display.max_rows = 4
long = pd.Series(range(10))

# %% [markdown]
# ## Report

# %%
print(df)
print(long)
