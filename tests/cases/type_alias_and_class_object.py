# hazard: A class is a value with another name and is kept in a dict.
# %% [markdown]
# ## Load

# %%
class Base:
    kind = "base"


class Child(Base):
    pass


kinds = {"base": Base, "child": Child}
Default = Child

# %% [markdown]
# ## Prepare

# %%
Base.kind = "changed"
obj = kinds["child"]()

# %% [markdown]
# ## Report

# %%
print(obj.kind, isinstance(obj, Base), Default is Child, kinds["base"] is Base, type(obj) is Default)
