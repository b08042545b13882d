# hazard: A RandomState object is shared by a name and a dict.
# %% [markdown]
# ## Load

# %%
import numpy as np

state = np.random.RandomState(5)
tools = {"rng": state}

# %% [markdown]
# ## Prepare

# %%
a = state.randint(0, 100, 3)

# %% [markdown]
# ## Report

# %%
print(a, tools["rng"].randint(0, 100, 2), state.randint(0, 100, 2), tools["rng"] is state)
