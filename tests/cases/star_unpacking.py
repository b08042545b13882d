# hazard: Starred and nested targets bind many names at once.
# %% [markdown]
# ## Load

# %%
first, *middle, (a, [b, *c]) = [1, 2, 3, (4, [5, 6, 7])]

# %% [markdown]
# ## Prepare

# %%
middle.append(a)
first, a = a, first

# %% [markdown]
# ## Report

# %%
print(first, middle, a, b, c)
