# hazard: %%writefile makes a module that a later section imports from a folder put on sys.path.
# %% [markdown]
# ## Load

# %%
import os
import sys

os.makedirs("lib", exist_ok=True)
sys.path.insert(0, "lib")
print("ready")

# %%
%%writefile lib/helper_case.py
def double(x):
    return 2 * x

# %% [markdown]
# ## Prepare

# %%
import helper_case

value = helper_case.double(4)

# %% [markdown]
# ## Report

# %%
print(value, helper_case.double("ab"))
