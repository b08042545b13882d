# hazard: a method is kept under a name, given something, and called.
# %% [markdown]
# ## Load

# %%
class Counter:
    def __init__(self):
        self.values = []

    def add(self, value):
        self.values.append(value)


counter = Counter()
add = counter.add
numbers = [1, 2]
for part in (add, numbers):
    if callable(part):
        part(3)

# %% [markdown]
# ## Prepare

# %%
add(4)

# %% [markdown]
# ## Report

# %%
print(counter.values, numbers)
