"""Puts the documentation for users into the wheel, beside the hub that shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Documentation(BuildHookInterface[Any]):
    """Adds ``docs/``: its pages, and the pictures that they show. A working copy reads the folder itself."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        docs = Path(self.root) / "docs"
        wanted = ("*.md", "tasks/*.md", "evidence/*.svg", "images/*.svg")
        if version != "editable":
            for path in (path for pattern in wanted for path in docs.glob(pattern)):
                build_data["force_include"][str(path)] = f"pilotbase/hub/docs/{path.relative_to(docs).as_posix()}"
