# hazard: A NaN is equal to nothing but is found in a list by identity.
# %% [markdown]
# ## Load

# %%
nan = float("nan")
values = [1.0, nan]

# %% [markdown]
# ## Prepare

# %%
n = len(values)

# %% [markdown]
# ## Report

# %%
print(n, nan in values, values.index(nan), float("nan") in values, values == [1.0, nan])
