# hazard: zip, enumerate and iter keep their place.
# %% [markdown]
# ## Load

# %%
letters = iter("abcdef")
pairs = zip([1, 2, 3, 4], letters)
next(pairs)

# %% [markdown]
# ## Prepare

# %%
numbered = enumerate(["x", "y", "z"])
next(numbered)
print(next(pairs))

# %% [markdown]
# ## Report

# %%
print(list(pairs), next(numbered), list(letters))
