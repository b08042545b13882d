# hazard: A wide frame is cut at twenty columns, as a kernel shows it.
# %% [markdown]
# ## Load

# %%
import pandas as pd

df = pd.DataFrame({f"column_{i}": [i, i * 2] for i in range(25)})

# %% [markdown]
# ## Prepare

# %%
df.head(1)

# %% [markdown]
# ## Report

# %%
print(df.shape)
df
