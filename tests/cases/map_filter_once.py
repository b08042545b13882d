# hazard: map and filter objects are empty after one reading.
# %% [markdown]
# ## Load

# %%
data = [1, 2, 3, 4]
squares = map(lambda x: x * x, data)

# %% [markdown]
# ## Prepare

# %%
total = sum(squares)

# %% [markdown]
# ## Report

# %%
print(total, list(squares), data)
