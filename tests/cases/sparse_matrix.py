# hazard: A sparse matrix crosses with its format and dtype.
# %% [markdown]
# ## Load

# %%
import numpy as np
from scipy import sparse

m = sparse.csr_matrix(np.eye(3, dtype=np.int8))
c = sparse.coo_matrix(([1, 2], ([0, 0], [1, 1])), shape=(2, 2))

# %% [markdown]
# ## Prepare

# %%
m[0, 2] = 5

# %% [markdown]
# ## Report

# %%
print(m.toarray(), m.format, m.dtype, m.nnz, c.format, c.nnz, c.toarray().tolist())
