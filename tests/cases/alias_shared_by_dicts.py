# hazard: Two dicts share one list.
# %% [markdown]
# ## Load

# %%
shared = []
first = {"log": shared}
second = {"log": shared}

# %% [markdown]
# ## Prepare

# %%
first["log"].append("one")

# %% [markdown]
# ## Report

# %%
second["log"].append("two")
print(first, second, shared)
