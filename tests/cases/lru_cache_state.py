# hazard: An lru_cache remembers what earlier sections computed.
# %% [markdown]
# ## Load

# %%
from functools import lru_cache


@lru_cache(maxsize=None)
def square(x):
    print("computing", x)
    return x * x


square(3)

# %% [markdown]
# ## Prepare

# %%
a = square(3) + square(4)

# %% [markdown]
# ## Report

# %%
print(a, square(4))
print(square.cache_info())
