# hazard: Objects are pickled in every form that notebooks have, by path, handle, bytes, twice into one file.
# %% [markdown]
# ## Load

# %%
import gzip
import os
import pickle
import pickle as pkl
from pickle import dump, loads

import pandas as pd


class Point:
    def __init__(self, x):
        self.x = x


frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
shared = [1]
pair = (shared, shared)


def keep(value, name):
    import pickle as p

    with open(f"{name}.pickle", "wb") as handle:
        p.dump(value, handle)


# %% [markdown]
# ## Save

# %%
with open("two.pkl", "wb") as f:
    pickle.dump(frame, f)
    pickle.dump(pair, f, protocol=pickle.HIGHEST_PROTOCOL)
pkl.dump(Point(3), open("point.pkl", "wb"), pickle.HIGHEST_PROTOCOL)
with gzip.open("zipped.pkl.gz", "wb") as f:
    dump({"a": Point(4)}, f, -1)
with open("one.pkl", mode="wb") as f:  # kept
    pickle.dump({"frame": frame, "n": len(frame)}, f)
frame.assign(c=1).to_pickle("frame.pkl")
text = pickle.dumps(pair)
keep(frame["a"], "column")
out = open("by_hand.pkl", "wb")
pickle.dump(pair, out)
out.close()

# %% [markdown]
# ## Read

# %%
with open("two.pkl", "rb") as f:
    first = pickle.load(f)
    second = pickle.load(f)
point = pkl.load(open("point.pkl", "rb"))
with gzip.open("zipped.pkl.gz", "rb") as f:
    zipped = pickle.load(f)
with open("one.pkl", "rb") as f:
    one = pickle.load(f)
back = pd.read_pickle("frame.pkl")
again = loads(text)
with open("column.pickle", "rb") as f:
    column = pickle.load(f)
reader = pickle.load
with open("by_hand.pkl", "rb") as f:
    by_hand = reader(f)

# %% [markdown]
# ## Report

# %%
print(first, second, second[0] is second[1], second[0] is shared)
print(point.x, type(point).__name__, isinstance(point, Point), zipped["a"].x)
print(one["frame"].equals(frame), one["frame"] is frame, one["n"])
print(back, again == pair, again[0] is shared, list(column), by_hand)
print(sorted(name for name in os.listdir() if ".p" in name and not name.endswith(".py")))
