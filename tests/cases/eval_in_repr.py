# hazard: displaying an object runs a method that evaluates the names of variables.
# %% [markdown]
# ## Load

# %%
class Display:
    def __init__(self, *texts):
        self.texts = texts

    def __repr__(self):
        return "\n".join(f"{text} = {eval(text)!r}" for text in self.texts)


rows = [3, 1, 2]

# %% [markdown]
# ## Prepare

# %%
rows.sort()
total = sum(rows)

# %% [markdown]
# ## Report

# %%
Display("rows", "total", "rows[-1] / total")
