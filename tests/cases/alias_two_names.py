# hazard: Two names for one list cross to a section that changes one of them.
# %% [markdown]
# ## Load

# %%
x = [1, 2, 3]
y = x

# %% [markdown]
# ## Prepare

# %%
print(len(x))

# %% [markdown]
# ## Report

# %%
x.append(4)
print(y, x is y)
