# hazard: a path's name is a class's attribute too, or that of a function's own variable.
# %% [markdown]
# ## Load

# %%
open("a.txt", "w").write("A")
open("b.txt", "w").write("B")
PATH = "b.txt"


class Loader:
    PATH = "a.txt"

    def load(self):
        return open(PATH).read()


# %% [markdown]
# ## Prepare

# %%
print(Loader().load())


def use():
    p = "x"

    def inner():
        nonlocal p
        p = "b.txt"

    inner()
    return p


# %% [markdown]
# ## Report

# %%
p = "a.txt"
q = use()
print(open(p).read(), q)
