# hazard: A closure keeps a count that several sections raise.
# %% [markdown]
# ## Load

# %%
def make_counter():
    n = 0

    def count():
        nonlocal n
        n += 1
        return n

    return count


count = make_counter()
count()

# %% [markdown]
# ## Prepare

# %%
count()
count()

# %% [markdown]
# ## Report

# %%
print(count())
