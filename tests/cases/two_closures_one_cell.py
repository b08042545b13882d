# hazard: Two closures share one variable.
# %% [markdown]
# ## Load

# %%
def account(balance):
    def deposit(x):
        nonlocal balance
        balance += x

    def show():
        return balance

    return deposit, show


deposit, show = account(100)

# %% [markdown]
# ## Prepare

# %%
deposit(5)

# %% [markdown]
# ## Report

# %%
deposit(20)
print(show())
