# hazard: Loops with break and else bind names that are read later.
# %% [markdown]
# ## Load

# %%
n = 27
steps = 0
while n != 1:
    n = 3 * n + 1 if n % 2 else n // 2
    steps += 1
    if steps == 10:
        break
else:
    n = -1

# %% [markdown]
# ## Prepare

# %%
for k in range(2, n):
    if n % k == 0:
        break
else:
    k = None

# %% [markdown]
# ## Report

# %%
print(n, steps, k)
