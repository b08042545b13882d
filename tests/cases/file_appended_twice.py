# hazard: Two sections append to one file.
# %% [markdown]
# ## Load

# %%
with open("log.txt", "w") as f:
    f.write("begin\n")

# %% [markdown]
# ## Prepare

# %%
with open("log.txt", "a") as f:
    f.write("middle\n")

# %% [markdown]
# ## Report

# %%
with open("log.txt", "a") as f:
    f.write("end\n")
print(open("log.txt").read(), end="")
