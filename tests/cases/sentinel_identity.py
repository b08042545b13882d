# hazard: A sentinel object is compared by `is` in a later section.
# %% [markdown]
# ## Load

# %%
MISSING = object()
table = {"a": 1, "b": MISSING}

# %% [markdown]
# ## Prepare

# %%
count = len(table)

# %% [markdown]
# ## Report

# %%
print(count, table["b"] is MISSING, [k for k, v in table.items() if v is MISSING])
