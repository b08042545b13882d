# hazard: A function reads a global that a later section binds again.
# %% [markdown]
# ## Load

# %%
scale = 2


def grow(x):
    return x * scale

# %% [markdown]
# ## Prepare

# %%
a = grow(10)
scale = 5

# %% [markdown]
# ## Report

# %%
b = grow(10)
print(a, b)
