# hazard: A with statement binds a name that is read later.
# %% [markdown]
# ## Load

# %%
import io

with io.StringIO("a\nb\n") as source:
    lines = source.readlines()

# %% [markdown]
# ## Prepare

# %%
n = len(lines)

# %% [markdown]
# ## Report

# %%
print(n, source.closed, lines)
