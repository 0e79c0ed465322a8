"""What the estate adds to the commands that may follow ``pilotbase``."""

from __future__ import annotations

from collections.abc import Mapping

COMMANDS: Mapping[str, tuple[str, str]] = {
    "compute": ("compute:app", "Shared computing power: pools, jobs, replay."),
    "voucher": ("voucher:app", "Vouchers for computing power: issue, pay, claim, audit."),
}
"""Name → module and function in this room, and the help text, the same as there."""
