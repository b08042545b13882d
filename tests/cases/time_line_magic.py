# hazard: %time runs a statement that binds a name; its own lines are captured, since no two runs print the same.
# %% [markdown]
# ## Load

# %%
%%capture
%time x = sum(range(10))

# %% [markdown]
# ## Prepare

# %%
y = x + 1

# %% [markdown]
# ## Report

# %%
print(x, y)
