"""Proof: runs the kept notebook and the package, each in a scratch copy, and compares what both did.

In here goes whatever runs or compares. It shares no code with the passes that produce a package: it reads only what
lies in the emitted folder. The scripts `supervise`, `observe` and `sameness` stand alone, since other interpreters
run them.
"""
