# hazard: Lines inside of a multi-line string keep their indentation.
# %% [markdown]
# ## Load

# %%
text = """first
  second
    third
\ttab
"""

# %% [markdown]
# ## Prepare

# %%
def poem():
    """Doc."""
    return """
a
  b
"""


sql = f"""
SELECT {len(text)}
  FROM t"""

# %% [markdown]
# ## Report

# %%
print(text, end="")
print(repr(poem()), repr(sql))
for line in '''x
 y'''.splitlines():
    print(repr(line))
