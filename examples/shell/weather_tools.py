"""Helpers that stand beside the notebook."""

import pandas as pd


def read_weather(path: str) -> pd.DataFrame:
    """Read the table and sort it by station and day."""
    return pd.read_csv(path).sort_values(["station", "day"], ignore_index=True)


def rolling_mean(frame: pd.DataFrame, column: str, days: int) -> pd.Series:
    """Give the mean of the last days of each station."""
    return frame.groupby("station")[column].transform(lambda s: s.rolling(days, min_periods=1).mean())
