# hazard: a magic sets something through a module that no cell imports by its name; it holds in every later stage.
# %% [markdown]
# ## Load

# %%
%env NB2PKG_CASE=on
values = [1, 2]

# %% [markdown]
# ## Prepare

# %%
from os import environ

doubled = [2 * v for v in values]
print(environ["NB2PKG_CASE"], doubled)

# %% [markdown]
# ## Report

# %%
print(environ["NB2PKG_CASE"], sum(doubled))
