# hazard: A file is opened in one section, written in two, and closed in the third.
# %% [markdown]
# ## Load

# %%
f = open("out.txt", "w")
print("one", file=f)

# %% [markdown]
# ## Prepare

# %%
print("two", file=f)

# %% [markdown]
# ## Report

# %%
f.write("three\n")
f.close()
print(open("out.txt").read(), end="")
