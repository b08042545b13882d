# hazard: a = b = [] makes one list with two names.
# %% [markdown]
# ## Load

# %%
a = b = []
c, d = [[0] * 2] * 2

# %% [markdown]
# ## Prepare

# %%
a.append(1)
c[0] = 9

# %% [markdown]
# ## Report

# %%
print(b, a is b, d, c is d)
