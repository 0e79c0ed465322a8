"""What a machine really has, regardless of what it claims."""

from __future__ import annotations

import os

from pilotbase_estate.documents.resources import MILLI, Vector


def measured() -> Vector:
    """Return cores that this process may use, in thousandths, and memory, in bytes."""
    return {
        "cpu": len(os.sched_getaffinity(0)) * MILLI,
        "memory": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
    }
