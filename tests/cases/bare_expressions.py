# hazard: The last expression of a cell is displayed, unless it is None or ends in a semicolon.
# %% [markdown]
# ## Load

# %%
import pandas as pd

s = pd.Series([1, 2], name="n")
s

# %%
{"b": 1, "a": [1, 2]}

# %% [markdown]
# ## Prepare

# %%
"a 'quoted' string"

# %%
None

# %%
s.sum();

# %%
s.tolist()  # with a comment ;

# %% [markdown]
# ## Report

# %%
x = 5
x
x + 1

# %%
if True:
    x + 100

# %%
(x,)

# %%
s.max()
