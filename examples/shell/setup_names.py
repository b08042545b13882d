"""Run by the notebook with %run: it leaves these names in the notebook."""

WINDOW = 7
COLUMNS = ["temperature", "rain"]


def label(column):
    return f"{column}_{WINDOW}d"


print("setup: window of", WINDOW, "days")
