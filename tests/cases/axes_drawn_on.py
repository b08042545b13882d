# hazard: Axes made in one section are drawn on in the next.
# %% [markdown]
# ## Load

# %%
import matplotlib.pyplot as plt

fig, ax = plt.subplots()
ax.plot([1, 2, 3])
print(len(ax.lines))

# %% [markdown]
# ## Prepare

# %%
ax.plot([3, 2, 1], label="down")
ax.set_title("both")

# %% [markdown]
# ## Report

# %%
print(len(ax.lines), ax.get_title(), ax.figure is fig, plt.get_fignums())
