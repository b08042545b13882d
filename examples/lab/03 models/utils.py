import numpy as np


def split_by_year(df, year):
    """Everything before `year` to learn from, the rest to test."""
    before = df["date"].dt.year < year
    return df[before], df[~before]


def report(name, truth, guess):
    print("%-8s mean error %6.2f cm" % (name, np.mean(np.abs(truth - guess))))
