# hazard: _ is the last displayed value, also in the next section.
# %% [markdown]
# ## Load

# %%
2 + 3

# %% [markdown]
# ## Prepare

# %%
double = _ * 2
double

# %% [markdown]
# ## Report

# %%
print(_, double)
