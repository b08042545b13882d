# hazard: A file is read, then overwritten, then read again.
# %% [markdown]
# ## Load

# %%
from pathlib import Path

Path("value.txt").write_text("1")

# %% [markdown]
# ## Prepare

# %%
old = int(Path("value.txt").read_text())
Path("value.txt").write_text(str(old + 41))

# %% [markdown]
# ## Report

# %%
new = int(Path("value.txt").read_text())
print(old, new)
