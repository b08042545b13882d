# hazard: defaultdict with a lambda, Counter, OrderedDict and deque(maxlen) keep their behaviour.
# %% [markdown]
# ## Load

# %%
from collections import Counter, OrderedDict, defaultdict, deque

start = 5
groups = defaultdict(lambda: [start])
words = Counter("abracadabra")
order = OrderedDict(a=1, b=2)
recent = deque(maxlen=2)

# %% [markdown]
# ## Prepare

# %%
groups["x"].append(1)
words.update("bbb")
order.move_to_end("a")
recent.extend([1, 2])

# %% [markdown]
# ## Report

# %%
groups["new"].append(2)
recent.append(3)
print(dict(groups), words.most_common(2), list(order), recent, words["zz"])
