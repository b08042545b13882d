"""Small passes that make the package better to work with and change nothing that it computes; each can be switched off.

What goes in here: rules that propose edits of the statements' text by position, one idea a module. What does not:
deciding on stages (that is `plan`) and the text around the statements (that is `emit`).
"""
