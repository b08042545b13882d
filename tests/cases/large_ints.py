# hazard: Integers of any size, infinity and the sign of zero cross unchanged.
# %% [markdown]
# ## Load

# %%
big = 2**100 + 1
small = -(10**30)
zero = -0.0
limit = float("inf")

# %% [markdown]
# ## Prepare

# %%
big += 1

# %% [markdown]
# ## Report

# %%
print(big, small, str(zero), limit, 0.1 + 0.2, type(big).__name__)
