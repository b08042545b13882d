"""Whole repositories: one package, one pipeline over all notebooks, and a report of what became of each.

What goes in: a folder, which is only read. What comes out: a package like that of one notebook, with a subpackage a
notebook. `types.py` has the values that travel between the parts.
"""
