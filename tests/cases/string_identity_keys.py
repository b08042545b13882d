# hazard: Keys that are equal but not the same, 1 and True and 1.0, keep the first that was put in.
# %% [markdown]
# ## Load

# %%
d = {1: "int"}
d[True] = "bool"

# %% [markdown]
# ## Prepare

# %%
d[1.0] = "float"

# %% [markdown]
# ## Report

# %%
print(d, [type(k).__name__ for k in d])
