# hazard: A mutable default keeps what earlier sections put into it.
# %% [markdown]
# ## Load

# %%
def remember(item, seen=[]):
    seen.append(item)
    return len(seen)


print(remember("a"))

# %% [markdown]
# ## Prepare

# %%
print(remember("b"))

# %% [markdown]
# ## Report

# %%
print(remember("c"))
