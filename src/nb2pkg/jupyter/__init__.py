"""nb2pkg inside Jupyter: thin shells on `nb2pkg.pipeline`.

In here goes what only Jupyter needs; nothing of it is imported by the rest. What a conversion is, is not decided here.
"""
