"""What the estate adds to the commands that may follow ``pilotbase``."""

from __future__ import annotations

from collections.abc import Mapping

COMMANDS: Mapping[str, str] = {"compute": "compute:app", "voucher": "voucher:app"}
"""Name → module and function in this room; its help: text ``command.<name>``."""
