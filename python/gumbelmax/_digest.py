"""A digest of draws, by which two machines are compared."""

import zlib
from typing import Any

import numpy as np


def digest(draws: Any) -> str:
    """Return a short digest of draws: the one that ``gumbel sample --digest`` prints for the same draws.

    >>> import numpy as np
    >>> from gumbelmax import digest, sample
    >>> digest(sample(np.zeros((4, 10)), seed=1)) == digest(sample(np.zeros((4, 10)), seed=2))
    False
    >>> digest([4, 0, 7])
    'e504c5a9'

    It is the CRC-32 of the draws as little-endian integers of 32 bits, in 8 hexadecimal digits: for a comparison by
    eye, and no proof against whoever means to deceive. The type and the library of the draws make no difference.

    Args:
        draws: indices of categories, as :func:`gumbelmax.sample` returns them, of any shape; -1 for no draw.

    Raises:
        ValueError: a number is no draw.
    """
    array = np.asarray(draws)
    if array.size and not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"draws must be integers, got {array.dtype}")
    if array.size and not -1 <= array.min() <= array.max() < 2**32:
        raise ValueError("draws must be from -1 (none) to 4294967295")
    # as 32 bits, -1 is what the command has for no draw
    return f"{zlib.crc32(array.astype('<u4').tobytes()):08x}"
