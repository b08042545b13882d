# hazard: The logging configuration holds for all later sections.
# %% [markdown]
# ## Load

# %%
import logging
import sys

logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s:%(name)s:%(message)s", force=True)
log = logging.getLogger("case")

# %% [markdown]
# ## Prepare

# %%
log.setLevel(logging.DEBUG)
log.info("prepared")

# %% [markdown]
# ## Report

# %%
log.debug("seen")
logging.debug("not seen")
log.warning("end %s", log.name)
