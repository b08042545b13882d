# hazard: Shell lines print, make files, and use variables.
# %% [markdown]
# ## Load

# %%
folder = "made"
!mkdir -p {folder}
!echo "start" > {folder}/log.txt

# %% [markdown]
# ## Prepare

# %%
!echo more >> $folder/log.txt
print("before")
!echo between
print("after")

# %% [markdown]
# ## Report

# %%
!cat made/log.txt
print(open("made/log.txt").read().split())
