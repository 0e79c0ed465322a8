"""What every function of the vault works on: the store as an actor sees it, the blobs and the owners' keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from pilotbase.documents.errors import RefusedError
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.blobs import BlobStore
from pilotbase.workspace.home import Home
from pilotbase.workspace.keys import KeyFolder
from pilotbase.workspace.store import Store, View


@dataclass(frozen=True)
class Vault:
    """The hidden data of a base."""

    view: View
    blobs: BlobStore
    keys: KeyFolder

    @classmethod
    def of_home(cls, home: Home, store: Store, actor: Actor) -> Vault:
        return cls(store.as_actor(actor), home.open_blobs(), home.keys)

    def require_access(self, owner: str) -> None:
        """Return if the actor is the operator or ``owner`` itself; raises `RefusedError`."""
        if not self.view.actor.may_write_for(owner):
            raise RefusedError("vault.not_yours", organisation=self.view.actor.organisation, owner=owner)


@dataclass(frozen=True)
class UploadTerms:
    """Limits for one upload and for all of an organisation, and for how long each piece extends an upload's life."""

    most_bytes: int
    most_bytes_of_owner: int
    lifetime: timedelta
