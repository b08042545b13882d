# hazard: globals()["x"] reads and binds names.
# %% [markdown]
# ## Load

# %%
x = 1

# %% [markdown]
# ## Prepare

# %%
globals()["x"] = 5
for i in range(3):
    globals()[f"v{i}"] = i * i

# %% [markdown]
# ## Report

# %%
print(x, v2, globals()["v1"], "v3" in globals())
