# hazard: An instance crosses and must still be an instance of its class.
# %% [markdown]
# ## Load

# %%
class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __repr__(self):
        return f"Point({self.x}, {self.y})"


p = Point(1, 2)

# %% [markdown]
# ## Prepare

# %%
p.x = 10
q = Point(3, 4)

# %% [markdown]
# ## Report

# %%
print(p, q, isinstance(p, Point), type(p) is type(q), type(p).__name__)
p
