# hazard: A function reads a global that is bound only in a later section.
# %% [markdown]
# ## Load

# %%
def price(x):
    return x * rate + offset

# %% [markdown]
# ## Prepare

# %%
rate = 3
offset = 1

# %% [markdown]
# ## Report

# %%
print(price(10))
offset = 2
print(price(10))
