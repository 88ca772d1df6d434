"""The process: results go out."""

import os

__version__ = "0.1.0"

# A sidecar shares its cores. Threads of a native library that wait for each other by spinning cost their neighbours
# more than they gain us; this must be said before numpy is loaded. Whoever knows better sets the variables.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
