# hazard: A function counts its calls in a global.
# %% [markdown]
# ## Load

# %%
calls = 0


def tick():
    global calls
    calls += 1
    return calls


tick()

# %% [markdown]
# ## Prepare

# %%
tick()
tick()
print(calls)

# %% [markdown]
# ## Report

# %%
calls += 10
print(tick(), calls)
