# hazard: A list on a class is shared by all instances and sections.
# %% [markdown]
# ## Load

# %%
class Registry:
    entries = []
    default = "a"

    def add(self, x):
        self.entries.append(x)


one = Registry()
one.add(1)

# %% [markdown]
# ## Prepare

# %%
Registry.default = "b"
Registry().add(2)

# %% [markdown]
# ## Report

# %%
print(one.entries, Registry.entries is one.entries, one.default)
