# hazard: A function is defined again, and an alias keeps the old one.
# %% [markdown]
# ## Load

# %%
def f(x):
    return x + 1


g = f


def twice(x):
    return f(f(x))

# %% [markdown]
# ## Prepare

# %%
print(twice(1))


def f(x):
    return x * 100

# %% [markdown]
# ## Report

# %%
print(f(1), g(1), twice(1))
