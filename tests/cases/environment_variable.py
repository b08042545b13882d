# hazard: os.environ is set in one section and read in another.
# %% [markdown]
# ## Load

# %%
import os

os.environ["CASE_MODE"] = "fast"

# %% [markdown]
# ## Prepare

# %%
os.environ["CASE_LEVEL"] = os.environ["CASE_MODE"].upper()

# %% [markdown]
# ## Report

# %%
print(os.environ.get("CASE_MODE"), os.environ.get("CASE_LEVEL", "unset"))
