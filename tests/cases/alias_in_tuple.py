# hazard: A tuple holds a list that also has a name of its own.
# %% [markdown]
# ## Load

# %%
values = [1]
pair = (values, "label")

# %% [markdown]
# ## Prepare

# %%
pair[0].append(2)

# %% [markdown]
# ## Report

# %%
values.append(3)
print(pair, pair[0] is values)
