"""The channels, one file each. Every ``CHANNEL`` in this folder is found, without a list."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules

from pilotbase.notices.channel import NoticeChannel

CHANNELS: Mapping[str, NoticeChannel] = {
    file.name: import_module(f"{__name__}.{file.name}").CHANNEL
    for file in sorted(iter_modules(__path__), key=lambda file: file.name)
}
"""Name → channel."""
