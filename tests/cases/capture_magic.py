# hazard: %%capture keeps what a cell prints in a name that is read in a later section.
# %% [markdown]
# ## Load

# %%
%%capture captured
print("hidden")
x = 3

# %% [markdown]
# ## Prepare

# %%
x += 1

# %% [markdown]
# ## Report

# %%
print(x, repr(captured.stdout))
