"""The names of IPython's magics by what they take, for all who have to tell a magic from Python."""

TIMED_CELL = frozenset(str.split("timeit prun memit snakeviz debug heat scalene"))
"""Cell magics that only measure the Python below them."""
BARE_WORDS = frozenset(str.split("cd ls ll mkdir cat rm cp mv rmdir pip conda mamba pwd who whos env run time timeit"))
"""Line magics that IPython's automagic takes without their `%`."""
