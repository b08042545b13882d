# hazard: A name is bound only if a condition holds, and a later section asks whether it is.
# %% [markdown]
# ## Load

# %%
flag = []
if flag:
    extra = "yes"

# %% [markdown]
# ## Prepare

# %%
count = len(flag)

# %% [markdown]
# ## Report

# %%
try:
    print(extra)
except NameError:
    print("not bound", count)
print("extra" in globals())
