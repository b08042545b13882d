# hazard: a variable has the name of the parameter of a stage whose names are the module's.
# %% [markdown]
# ## Load

# %%
inputs = [1, 2]
outputs = [3]

# %% [markdown]
# ## Prepare

# %%
globals()["scale"] = 5
inputs = [scale * x for x in inputs]


def total():
    return sum(inputs) + sum(outputs)


# %% [markdown]
# ## Report

# %%
print(total(), inputs, scale)
