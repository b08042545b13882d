# hazard: A variable takes the name of an import.
# %% [markdown]
# ## Load

# %%
import math
import json as data

n = math.sqrt(16)
text = data.dumps([1])

# %% [markdown]
# ## Prepare

# %%
math = {"score": 90}
data = [1, 2, 3]

# %% [markdown]
# ## Report

# %%
print(n, text, math["score"], len(data))
