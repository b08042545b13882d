# hazard: Identifiers and strings are not all ASCII.
# %% [markdown]
# ## Load

# %%
naïve = 1
β = 0.5
größe = {"straße": "ß", "日本": "語"}

# %% [markdown]
# ## Prepare

# %%
naïve += 1
σ = lambda x: x * β

# %% [markdown]
# ## Report

# %%
print(naïve, σ(4), größe["straße"], größe["日本"], "é" == "e\u0301")
