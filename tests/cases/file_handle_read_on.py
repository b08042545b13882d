# hazard: A file handle is read on from where the last section stopped.
# %% [markdown]
# ## Load

# %%
with open("lines.txt", "w") as f:
    f.write("one\ntwo\nthree\nfour\n")
handle = open("lines.txt")
first = handle.readline().strip()

# %% [markdown]
# ## Prepare

# %%
second = handle.readline().strip()

# %% [markdown]
# ## Report

# %%
print(first, second, [line.strip() for line in handle])
handle.close()
print(handle.closed, f.closed)
