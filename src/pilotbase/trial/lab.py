"""The test lab: what every trial works on — the home, the store as one actor sees it, the vault, the folders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pilotbase import __version__
from pilotbase.compute.settings import FIRST_ORGANISATION_UID
from pilotbase.vault.place import Vault
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.home import Home
from pilotbase.workspace.store import Store, View

SOFTWARE = f"pilotbase {__version__}"


@dataclass(frozen=True)
class Lab:
    """A home opened by an actor."""

    home: Home
    store: Store
    vault: Vault

    @classmethod
    def open(cls, home: Home, actor: Actor) -> Lab:
        """Open store and vault of ``home`` for ``actor``."""
        store = home.open_store()
        return cls(home, store, Vault.of_home(home, store, actor))

    @property
    def view(self) -> View:
        return self.vault.view

    @property
    def actor(self) -> Actor:
        return self.vault.view.actor

    def folder(self, *names: str) -> Path:
        """Return a private folder of the home, made on first use."""
        path = self.home.path.joinpath(*names)
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path

    def close(self) -> None:
        """Close the store."""
        self.store.close()


def organisation_uid(lab: Lab, organisation: str) -> int:
    """Return the uid of an organisation's boxes when started as root: given out once, never shared."""
    own = f"{organisation}/box-uid"
    with lab.view.transaction("lab.uid_given") as change:
        number = change.add(own, 0) or change.add(own, change.add(f"{lab.actor.organisation}/box-uids", 1))
    return FIRST_ORGANISATION_UID + number - 1
