# hazard: eval and exec read and bind names in strings.
# %% [markdown]
# ## Load

# %%
x = 1
code = "z = x * 10"

# %% [markdown]
# ## Prepare

# %%
x = 4
exec(code)

# %% [markdown]
# ## Report

# %%
print(eval("x + 1"), z)
