# hazard: A function keeps a count on itself.
# %% [markdown]
# ## Load

# %%
def hit():
    hit.count += 1
    return hit.count


hit.count = 0
hit()

# %% [markdown]
# ## Prepare

# %%
hit()

# %% [markdown]
# ## Report

# %%
print(hit(), hit.count)
