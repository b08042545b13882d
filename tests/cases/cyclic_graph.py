# hazard: An object graph has a circle in it.
# %% [markdown]
# ## Load

# %%
class Tree:
    def __init__(self, name, parent=None):
        self.name, self.parent, self.children = name, parent, []
        if parent is not None:
            parent.children.append(self)


root = Tree("root")
leaf = Tree("leaf", root)

# %% [markdown]
# ## Prepare

# %%
leaf.name = "changed"
loop = [root]
loop.append(loop)

# %% [markdown]
# ## Report

# %%
print(root.children[0].name, leaf.parent is root, root.children[0] is leaf, loop[1] is loop)
