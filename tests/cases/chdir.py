# hazard: os.chdir changes what relative paths mean in all later sections.
# %% [markdown]
# ## Load

# %%
import os

os.makedirs("inner", exist_ok=True)
os.chdir("inner")

# %% [markdown]
# ## Prepare

# %%
with open("note.txt", "w") as f:
    f.write("hello")

# %% [markdown]
# ## Report

# %%
print(os.path.basename(os.getcwd()), open("note.txt").read(), os.path.exists("../inner/note.txt"))
