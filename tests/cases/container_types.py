# hazard: Tuples, lists, bytes, complex numbers, ranges and frozensets keep their types.
# %% [markdown]
# ## Load

# %%
values = {"t": (1, [2]), "b": b"\x00\xff", "c": 1 + 2j, "r": range(3), "f": frozenset([1]), "a": bytearray(b"x")}
nothing = ...

# %% [markdown]
# ## Prepare

# %%
values["a"].append(65)

# %% [markdown]
# ## Report

# %%
for key, value in values.items():
    print(key, type(value).__name__, repr(value))
print(nothing is Ellipsis, slice(1, 2))
