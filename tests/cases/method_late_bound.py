# hazard: A method reads a global at the time of its call.
# %% [markdown]
# ## Load

# %%
unit = "cm"


class Length:
    def __init__(self, n):
        self.n = n

    def __str__(self):
        return f"{self.n} {unit}"


length = Length(3)

# %% [markdown]
# ## Prepare

# %%
before = str(length)
unit = "mm"

# %% [markdown]
# ## Report

# %%
print(before, length)
