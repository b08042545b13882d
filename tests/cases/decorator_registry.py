# hazard: A decorator puts functions from several sections into a list.
# %% [markdown]
# ## Load

# %%
steps = []


def step(function):
    steps.append(function)
    return function


@step
def strip(text):
    return text.strip()

# %% [markdown]
# ## Prepare

# %%
@step
def upper(text):
    return text.upper()

# %% [markdown]
# ## Report

# %%
text = "  hello "
for function in steps:
    text = function(text)
    print(function.__name__, repr(text))
