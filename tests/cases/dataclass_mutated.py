# hazard: A dataclass instance crosses and is changed.
# %% [markdown]
# ## Load

# %%
from dataclasses import asdict, dataclass, field, replace


@dataclass
class Config:
    lr: float = 0.1
    tags: list = field(default_factory=list)


config = Config()
same = config

# %% [markdown]
# ## Prepare

# %%
config.lr = 0.5
config.tags.append("fast")
other = replace(config, lr=1.0)

# %% [markdown]
# ## Report

# %%
other.tags.append("shared")
print(config, same is config, other == config, asdict(other))
