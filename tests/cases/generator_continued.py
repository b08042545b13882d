# hazard: A generator is begun in one section and read on in the next.
# %% [markdown]
# ## Load

# %%
def numbers():
    n = 0
    while True:
        n += 1
        yield n * n


stream = numbers()
first = next(stream)

# %% [markdown]
# ## Prepare

# %%
second = next(stream)

# %% [markdown]
# ## Report

# %%
print(first, second, next(stream), next(stream))
