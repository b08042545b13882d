# hazard: list.append in a middle section changes the list that the last section reads.
# %% [markdown]
# ## Load

# %%
rows = [1, 2, 3]

# %% [markdown]
# ## Prepare

# %%
rows.append(4)
rows.extend([5, 6])

# %% [markdown]
# ## Report

# %%
print(rows, sum(rows))
