# hazard: a name with an annotation that a function declares global.
# %% [markdown]
# ## Load

# %%
from typing import List

total: int = 0
later: List[int]
if True:
    rows: List[int] = [
        1,
        2,
    ]


def add(n):
    global total
    total += n


# %% [markdown]
# ## Prepare

# %%
for row in rows:
    add(row)

# %% [markdown]
# ## Report

# %%
print(total, "later" in globals())
