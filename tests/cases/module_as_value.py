# hazard: A module is bound to another name and kept in a dict.
# %% [markdown]
# ## Load

# %%
import json
import math

tools = {"json": json, "math": math}
m = math

# %% [markdown]
# ## Prepare

# %%
value = tools["math"].sqrt(16)

# %% [markdown]
# ## Report

# %%
print(value, m.floor(2.7), tools["json"].dumps([1]), m is tools["math"])
