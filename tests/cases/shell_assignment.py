# hazard: x = !command binds a list of lines.
# %% [markdown]
# ## Load

# %%
lines = !printf 'one\ntwo\n'

# %% [markdown]
# ## Prepare

# %%
name = "world"
greeting = !echo hello {name}

# %% [markdown]
# ## Report

# %%
print(len(lines), lines[0], greeting[0], lines.n == "one\ntwo")
