# hazard: A function is defined in one branch of an if.
# %% [markdown]
# ## Load

# %%
fast = False

if fast:
    def work(x):
        return x
else:
    def work(x):
        return x * 2

# %% [markdown]
# ## Prepare

# %%
values = [work(i) for i in range(3)]

# %% [markdown]
# ## Report

# %%
print(values, work("ab"))
