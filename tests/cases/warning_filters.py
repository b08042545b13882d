# hazard: warnings.simplefilter("error") turns later warnings into exceptions.
# %% [markdown]
# ## Load

# %%
import warnings

warnings.simplefilter("error")

# %% [markdown]
# ## Prepare

# %%
def risky():
    warnings.warn("careful")
    return "no error"

# %% [markdown]
# ## Report

# %%
try:
    print(risky())
except UserWarning as e:
    print("raised", e)
