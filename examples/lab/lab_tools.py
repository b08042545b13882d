"""What everybody in the group uses. Ask Ruth before you change it!"""

import numpy as np
import pandas as pd

MISSING = -999
SEASONS = {12: "winter", 1: "winter", 2: "winter", 3: "spring", 4: "spring", 5: "spring",
           6: "summer", 7: "summer", 8: "summer", 9: "autumn", 10: "autumn", 11: "autumn"}


def read_readings(path):
    """One year of readings, as the field computer writes them."""
    df = pd.read_csv(path, sep=";", na_values=[MISSING])
    df["date"] = pd.to_datetime(df["date"], format="%d/%m/%Y")
    return df


def season(month):
    return SEASONS[month]


def flag_outliers(values, k=4.0):
    """True where a value is more than k median deviations from the median."""
    middle = np.nanmedian(values)
    spread = np.nanmedian(np.abs(values - middle))
    return np.abs(values - middle) > k * 1.4826 * spread
