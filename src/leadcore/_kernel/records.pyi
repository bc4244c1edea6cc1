"""The dtypes of plan records, derived from the kernel's structs."""

from typing import Any

import numpy as np

LAYOUT_VERSION: int
DTYPES: dict[str, np.dtype[Any]]
