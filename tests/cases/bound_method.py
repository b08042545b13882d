# hazard: A bound method is kept apart from its object.
# %% [markdown]
# ## Load

# %%
items = []
add = items.append

# %% [markdown]
# ## Prepare

# %%
add(1)

# %% [markdown]
# ## Report

# %%
add(2)
print(items, add.__self__ is items)
