# hazard: df.query reads a variable that is named only in a string.
# %% [markdown]
# ## Load

# %%
import pandas as pd

df = pd.DataFrame({"a": [1, 2, 3, 4]})
t = 2

# %% [markdown]
# ## Prepare

# %%
t = t + 1

# %% [markdown]
# ## Report

# %%
print(df.query("a >= @t")["a"].tolist(), df.eval("a * @t").tolist())
