# hazard: dict.update and del d[k] in a later section change the dict for those after it.
# %% [markdown]
# ## Load

# %%
config = {"a": 1, "b": 2}

# %% [markdown]
# ## Prepare

# %%
config.update(c=3, a=10)
del config["b"]

# %% [markdown]
# ## Report

# %%
for key, value in config.items():
    print(key, value)
