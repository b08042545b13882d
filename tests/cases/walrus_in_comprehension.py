# hazard: A walrus in a comprehension binds a name outside of it.
# %% [markdown]
# ## Load

# %%
data = [1, 5, 10]
doubled = [last := n * 2 for n in data]

# %% [markdown]
# ## Prepare

# %%
if (n := len(data)) > 2:
    big = any((hit := v) > 4 for v in data)

# %% [markdown]
# ## Report

# %%
print(last, n, hit, big, doubled)
