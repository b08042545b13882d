# hazard: Datetimes with zones, deltas and dates cross with their types.
# %% [markdown]
# ## Load

# %%
from datetime import date, datetime, timedelta, timezone

import pandas as pd

zone = timezone(timedelta(hours=2), "X")
start = datetime(2024, 2, 29, 12, 30, 0, 123456, tzinfo=zone)
day = date(2024, 1, 1)
stamp = pd.Timestamp("2024-05-06 07:08:09.123456789", tz="UTC")

# %% [markdown]
# ## Prepare

# %%
later = start + timedelta(days=1, microseconds=1)

# %% [markdown]
# ## Report

# %%
print(later.isoformat(), later.tzname(), day, type(day).__name__, stamp, stamp.nanosecond)
