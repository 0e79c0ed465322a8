"""The twenty rules, as every peer is given them."""

from __future__ import annotations

WORDS = ["alpha", "beta", "gamma", "delta", "epsilon"]
REQUIRED = ("i0", "f0", "s0", "t")
RANGES = {**{f"f{number}": (0, 100) for number in range(5)}, **{f"i{number}": (0, 999) for number in range(3)}}
LISTS = ("s0", "s1", "s2", "s3")
PATTERNS = ("s4", "s5")
PATTERN = "^AB-[0-9]{6}$"
PAIRS = (("f1", "f2"), ("i1", "i2"))
"""The first is at most the second."""
