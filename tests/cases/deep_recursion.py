# hazard: A deep recursion and a raised limit.
# %% [markdown]
# ## Load

# %%
import sys

sys.setrecursionlimit(5000)


def depth(n):
    return 0 if n == 0 else 1 + depth(n - 1)

# %% [markdown]
# ## Prepare

# %%
chain = None
for i in range(2000):
    chain = (i, chain)

# %% [markdown]
# ## Report

# %%
n = 0
while chain is not None:
    n, chain = n + 1, chain[1]
print(depth(2500), n, sys.getrecursionlimit() == 5000)
