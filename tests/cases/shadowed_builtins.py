# hazard: Builtins are bound as variables, and one of them is freed again.
# %% [markdown]
# ## Load

# %%
list = [3, 1, 2]
sum = 10

# %% [markdown]
# ## Prepare

# %%
sum = sum + len(list)

# %% [markdown]
# ## Report

# %%
print(list, sum)
del list
print(list("ab"), max([1, 2]), sum)
