# hazard: In a notebook __name__ is "__main__", so that the block runs.
# %% [markdown]
# ## Load

# %%
def work():
    return [1, 2]


if __name__ == "__main__":
    result = work()

# %% [markdown]
# ## Prepare

# %%
if __name__ == "__main__":
    result.append(3)

# %% [markdown]
# ## Report

# %%
print(result, __name__ == "__main__")
