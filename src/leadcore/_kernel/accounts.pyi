"""Account scores from lead scores (spec 6.6, 9.6)."""

import numpy as np
import numpy.typing as npt

def combine(
    values: npt.NDArray[np.int64], starts: npt.NDArray[np.int64], by: int, n: int, share: int
) -> npt.NDArray[np.int64]: ...
