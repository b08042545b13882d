# hazard: A cell that is allowed to fail does its first half.
# %% [markdown]
# ## Load

# %%
state = []

# %% [markdown]
# ## Prepare

# %% tags=["raises-exception"]
state.append("before")
raise RuntimeError("expected")
state.append("never")

# %% [markdown]
# ## Report

# %%
state.append("after")
print(state)
