"""The channels, one file each. Every ``CHANNEL`` in this folder is found, without a list."""

from __future__ import annotations

from collections.abc import Mapping

from pilotbase.documents.plugins import loaded
from pilotbase.notices.channel import NoticeChannel

CHANNELS: Mapping[str, NoticeChannel] = {
    module.__name__.rpartition(".")[2]: module.CHANNEL for module in loaded("notices.channels")
}
"""Name → channel."""
