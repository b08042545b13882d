# hazard: A class attribute counts the instances made in several sections.
# %% [markdown]
# ## Load

# %%
class Item:
    made = 0

    def __init__(self):
        Item.made += 1
        self.number = Item.made


first = Item()

# %% [markdown]
# ## Prepare

# %%
second = Item()

# %% [markdown]
# ## Report

# %%
third = Item()
print(first.number, second.number, third.number, Item.made)
