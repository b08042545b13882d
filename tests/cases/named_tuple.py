# hazard: A NamedTuple and a namedtuple cross with their types.
# %% [markdown]
# ## Load

# %%
from collections import namedtuple
from typing import NamedTuple


class Row(NamedTuple):
    a: int
    b: str = "x"


Pair = namedtuple("Pair", "left right")
row, pair = Row(1), Pair(1, 2)

# %% [markdown]
# ## Prepare

# %%
row = row._replace(a=5)

# %% [markdown]
# ## Report

# %%
print(row, pair, row.b, isinstance(row, Row), type(pair).__name__, pair._fields)
