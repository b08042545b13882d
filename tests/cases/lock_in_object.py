# hazard: An object holds a lock, which cannot be pickled.
# %% [markdown]
# ## Load

# %%
import threading


class Safe:
    def __init__(self):
        self.lock = threading.Lock()
        self.n = 0

    def add(self, k):
        with self.lock:
            self.n += k


safe = Safe()

# %% [markdown]
# ## Prepare

# %%
safe.add(2)

# %% [markdown]
# ## Report

# %%
safe.add(3)
print(safe.n, safe.lock.locked())
