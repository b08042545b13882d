# hazard: A function of a module is replaced for all later sections.
# %% [markdown]
# ## Load

# %%
import math

original = math.floor

# %% [markdown]
# ## Prepare

# %%
math.floor = lambda x: -1
math.answer = 42

# %% [markdown]
# ## Report

# %%
print(math.floor(2.5), original(2.5), math.answer)
