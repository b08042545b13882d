# hazard: Members of an Enum are compared by `is` in a later section.
# %% [markdown]
# ## Load

# %%
from enum import Enum


class Color(Enum):
    RED = 1
    BLUE = 2


chosen = Color.RED
table = {Color.BLUE: "sea"}

# %% [markdown]
# ## Prepare

# %%
names = [c.name for c in Color]

# %% [markdown]
# ## Report

# %%
print(chosen is Color.RED, table[Color.BLUE], names, chosen == Color(1), chosen)
