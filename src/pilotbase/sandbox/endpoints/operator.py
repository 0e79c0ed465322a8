"""What the operator of this machine allows: private hosts that may be reached, keys that may be sent.

The list of hosts is separate from the gateway's: a host that a service may call need not be open to everything that a
supplier submits. A key is bound to the supplier and the address for which the operator keeps it: a manifest that names
another supplier's key, or its own address with it, gets none.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pilotbase.documents.endpoint import Endpoint
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.protocols.guarded_http import GuardedHttp

ALLOW = "PILOTBASE_ENDPOINT_ALLOW"
"""Hosts and networks, separated by commas."""
KEYS_FILE = "PILOTBASE_GATEWAY_ENDPOINT_KEYS_FILE"
"""JSON, of applications ``"organisation/NAME": {"url": "https://host/v1", "key": "…"}``; readable by its owner only."""


@dataclass(frozen=True)
class EndpointSettings:
    """The settings of this machine for calls to endpoints."""

    allowed: tuple[str, ...] = ()
    keys: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    """``organisation/NAME`` → ``url`` and ``key``."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> EndpointSettings:
        """Return the settings that ``environment`` spells.

        Raises:
            InputError: the file of keys cannot be read, or others can read it.
        """
        names = (name.strip() for name in environment.get(ALLOW, "").split(","))
        return cls(tuple(filter(None, names)), read_named_keys(environment.get(KEYS_FILE, "")))

    @property
    def guard(self) -> GuardedHttp:
        """Return the client that reaches the open internet, and the listed hosts."""
        return GuardedHttp(self.allowed)

    def key_for(self, supplier: str, endpoint: Endpoint) -> str | None:
        """Return the key for ``endpoint``; None: it needs none.

        Raises:
            RefusedError: the operator keeps no such key for this supplier and this address.
        """
        if endpoint.key is None:
            return None
        kept = self.keys.get(f"{supplier}/{endpoint.key}")
        if kept is None:
            raise RefusedError("endpoint.no_key", key=endpoint.key, supplier=supplier, setting=KEYS_FILE)
        if not _lies_under(endpoint.url, kept["url"]):
            raise RefusedError("endpoint.key_elsewhere", key=endpoint.key, url=endpoint.url)
        return kept["key"]


def read_named_keys(file: str) -> Mapping[str, Mapping[str, str]]:
    """Return the keys of applications in a file of keys; empty if no file is named; raises `InputError`."""
    if not file:
        return {}
    path = Path(file)
    try:
        exposed, found = path.stat().st_mode & 0o077, json.loads(path.read_bytes())
    except (OSError, ValueError):
        raise InputError("endpoint.keys_unreadable", file=path) from None
    if exposed:
        raise InputError("endpoint.keys_exposed", file=path)
    if not isinstance(found, dict):
        raise InputError("endpoint.keys_unreadable", file=path)
    named = {name: one for name, one in found.items() if isinstance(one, dict)}
    if not all(is_named_key(one) for one in named.values()):
        raise InputError("endpoint.keys_unreadable", file=path)
    return named


def is_named_key(entry: object) -> bool:
    """Return whether an entry of the file is the key of an application: an address and the key for it."""
    if not isinstance(entry, dict) or entry.keys() != {"url", "key"}:
        return False
    return all(isinstance(value, str) and value for value in entry.values())


def _lies_under(url: str, known: str) -> bool:
    """Return whether an address has the host and port, and is under the path, for which a key is kept."""
    asked, kept = urlsplit(url), urlsplit(known)
    path = kept.path.rstrip("/")
    same_host = (asked.scheme, asked.netloc) == (kept.scheme, kept.netloc)
    return (
        same_host
        and ".." not in unquote(asked.path)
        and (asked.path == path or f"{asked.path}/".startswith(f"{path}/"))
    )
