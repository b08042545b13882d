# hazard: plt.rcParams holds for all later sections.
# %% [markdown]
# ## Load

# %%
import matplotlib.pyplot as plt

plt.rcParams["figure.figsize"] = (3, 2)
plt.rcParams.update({"lines.linewidth": 4.5})

# %% [markdown]
# ## Prepare

# %%
size = 2

# %% [markdown]
# ## Report

# %%
fig, ax = plt.subplots()
(line,) = ax.plot([1, size])
print(fig.get_size_inches().tolist(), line.get_linewidth())
