# hazard: Printing is taken over by a context manager and by a replaced print.
# %% [markdown]
# ## Load

# %%
import builtins
import contextlib
import io

buffer = io.StringIO()
with contextlib.redirect_stdout(buffer):
    print("into the buffer")

# %% [markdown]
# ## Prepare

# %%
def shout(*args):
    builtins.print(*[str(a).upper() for a in args])


print = shout

# %% [markdown]
# ## Report

# %%
print("loud", buffer.getvalue().strip())
del print
print("quiet")
