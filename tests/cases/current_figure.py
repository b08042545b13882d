# hazard: pyplot's current figure is closed at the end of a cell and new in the next.
# %% [markdown]
# ## Load

# %%
import matplotlib.pyplot as plt

plt.plot([1, 2])
print(len(plt.gca().lines));

# %% [markdown]
# ## Prepare

# %%
plt.title("new")
print(len(plt.gca().lines), plt.gca().get_title())

# %% [markdown]
# ## Report

# %%
print(plt.get_fignums())
