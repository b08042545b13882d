# hazard: += on a list changes the object, so that its alias sees it too.
# %% [markdown]
# ## Load

# %%
xs = [1, 2]
ys = xs

# %% [markdown]
# ## Prepare

# %%
xs += [3]

# %% [markdown]
# ## Report

# %%
print(xs, ys, xs is ys)
