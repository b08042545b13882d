# hazard: f-strings, format and % read names inside of strings.
# %% [markdown]
# ## Load

# %%
name, width = "abc", 6

# %% [markdown]
# ## Prepare

# %%
width += 1
template = "{name}-{width}"

# %% [markdown]
# ## Report

# %%
print(f"{name:>{width}}|", template.format(**globals()), f"{name!r}", f"{width=}")
