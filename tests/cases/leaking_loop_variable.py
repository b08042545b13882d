# hazard: A loop variable lives on after its loop.
# %% [markdown]
# ## Load

# %%
for i, name in enumerate(["a", "b", "c"]):
    pass

# %% [markdown]
# ## Prepare

# %%
squares = [i for i in range(10)]
print(i)

# %% [markdown]
# ## Report

# %%
print(i, name, squares[-1])
