# hazard: A structured and an object array cross with their dtypes.
# %% [markdown]
# ## Load

# %%
import numpy as np

people = np.array([("a", 1, 1.5), ("b", 2, 2.5)], dtype=[("name", "U5"), ("n", "i2"), ("w", "f4")])
objects = np.array([[1, 2], None, "x"], dtype=object)

# %% [markdown]
# ## Prepare

# %%
people["n"] += 1
objects[0].append(3)

# %% [markdown]
# ## Report

# %%
print(people, people.dtype)
print(objects, objects.dtype)
