# hazard: A name is deleted, is unbound for a while, and is bound again.
# %% [markdown]
# ## Load

# %%
x = 1
y = x + 1
del x

# %% [markdown]
# ## Prepare

# %%
try:
    print(x)
except NameError:
    print("unbound")

# %% [markdown]
# ## Report

# %%
x = "new"
print(x, y)
