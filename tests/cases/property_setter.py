# hazard: An attribute assignment runs a setter that changes another object.
# %% [markdown]
# ## Load

# %%
history = []


class Dial:
    def __init__(self):
        self._value = 0

    @property
    def value(self):
        return self._value

    @value.setter
    def value(self, new):
        history.append((self._value, new))
        self._value = new


dial = Dial()

# %% [markdown]
# ## Prepare

# %%
dial.value = 3

# %% [markdown]
# ## Report

# %%
dial.value += 4
print(history, dial.value)
