# hazard: The notebook itself pickles an instance of a class that it defines.
# %% [markdown]
# ## Load

# %%
import pickle


class Model:
    def __init__(self, w):
        self.w = w


with open("model.pkl", "wb") as f:
    pickle.dump(Model(3), f)

# %% [markdown]
# ## Prepare

# %%
with open("model.pkl", "rb") as f:
    model = pickle.load(f)

# %% [markdown]
# ## Report

# %%
print(model.w, isinstance(model, Model), type(model).__name__)
