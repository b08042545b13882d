# hazard: A connection to a database in memory cannot be stored.
# %% [markdown]
# ## Load

# %%
import sqlite3

db = sqlite3.connect(":memory:")
db.execute("create table t (n integer)")
None

# %% [markdown]
# ## Prepare

# %%
db.executemany("insert into t values (?)", [(1,), (2,), (3,)])
total = db.execute("select sum(n) from t").fetchone()[0]

# %% [markdown]
# ## Report

# %%
print(total, db.execute("select count(*) from t").fetchone())
