# hazard: display() in loops and functions prints in its place.
# %% [markdown]
# ## Load

# %%
import pandas as pd

df = pd.DataFrame({"a": [1, 2]})
display(df)

# %% [markdown]
# ## Prepare

# %%
def show(frame):
    display(frame.sum())
    return len(frame)


for i in range(2):
    print("round", i)
    display(df + i)

# %% [markdown]
# ## Report

# %%
print("last")
show(df)
