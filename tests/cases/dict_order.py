# hazard: The order of a dict is that of insertion, and moves with pop and insert.
# %% [markdown]
# ## Load

# %%
d = {"z": 1, "a": 2, "m": 3}

# %% [markdown]
# ## Prepare

# %%
d["z"] = d.pop("z")

# %% [markdown]
# ## Report

# %%
print(list(d), d)
