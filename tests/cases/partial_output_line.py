# hazard: print without a newline, and flush, join the output of two statements.
# %% [markdown]
# ## Load

# %%
parts = ["a", "b"]
print("start", end=" ")

# %% [markdown]
# ## Prepare

# %%
for p in parts:
    print(p, end=",", flush=True)

# %% [markdown]
# ## Report

# %%
import sys

written = sys.stdout.write("done\n")
print(len(parts), sep="")
