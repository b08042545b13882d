# hazard: An attribute of one object is another object that has a name.
# %% [markdown]
# ## Load

# %%
class Node:
    def __init__(self, items):
        self.items = items


items = ["a"]
node = Node(items)

# %% [markdown]
# ## Prepare

# %%
items.append("b")

# %% [markdown]
# ## Report

# %%
node.items.append("c")
print(items, node.items is items)
