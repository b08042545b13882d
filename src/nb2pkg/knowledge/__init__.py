"""What library calls do, as data: a TOML file per library, and the lookup that every pass asks.

What goes in here: facts about calls, types and imports, and the code that loads and finds them.
What does not: decisions. A pass that wants to know about pandas asks `KnowledgeBase`; it has no list of its own.
"""
