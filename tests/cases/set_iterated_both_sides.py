# hazard: The order of a set depends on how it was built.
# %% [markdown]
# ## Load

# %%
seen = set()
for n in [8, 16, 0, 24, 32, 1]:
    seen.add(n)
before = list(seen)

# %% [markdown]
# ## Prepare

# %%
seen.discard(0)

# %% [markdown]
# ## Report

# %%
print(before == list(seen) + [0], before, list(seen))
