# hazard: Two sections draw from the stream of the random module.
# %% [markdown]
# ## Load

# %%
import random

random.seed(7)
a = random.random()

# %% [markdown]
# ## Prepare

# %%
deck = list(range(8))
random.shuffle(deck)
print(deck)

# %% [markdown]
# ## Report

# %%
print(round(a, 6), random.randint(1, 1000), random.choice(deck))
