"""Secret permutations that anybody can recompute once the secret is opened.

The rank of item i is the i-th 64-bit big-endian word of the AES-256-CTR key stream (zero nonce) under the seed; items
are sorted by rank. No random generator of a library version is involved.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CTR

Cases = npt.NDArray[np.int64]


def scoring_order(secret: bytes, nonce: str, cases: Cases) -> Cases:
    """Return ``cases`` in the order in which their answers are scored.

    The seed is SHA-256(secret ‖ nonce bytes): the base committed to ``secret`` before, ``nonce`` (hex) came from the
    supplier, so neither side chose the order (`statistics.md`, correction 1).
    """
    ordered = np.sort(cases)
    return ordered[permutation(hashlib.sha256(secret + bytes.fromhex(nonce)).digest(), len(ordered))]


def permutation(seed: bytes, size: int) -> Cases:
    """Return a permutation of 0 … size-1 that is uniform to whoever does not know the 32-byte ``seed``."""
    stream = Cipher(AES256(seed), CTR(bytes(16))).encryptor().update(bytes(8 * size))
    return np.argsort(np.frombuffer(stream, dtype=">u8"), kind="stable").astype(np.int64)
