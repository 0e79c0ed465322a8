"""The test lab: what every trial needs — the home, the store as one actor sees it, the vault, the folders."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pilotbase import __version__
from pilotbase.catalogue.folders import kept_folder
from pilotbase.sandbox.box.settings import FIRST_ORGANISATION_UID
from pilotbase.vault.place import Vault
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.failures import ConflictError
from pilotbase.workspace.home import Home
from pilotbase.workspace.store import Clock, Store, View, utc_now

if TYPE_CHECKING:
    from pilotbase.sandbox.engines import Engine

SOFTWARE = f"pilotbase {__version__}"


@dataclass(frozen=True)
class TrialRuntime:
    """A home opened by an actor."""

    home: Home
    store: Store
    vault: Vault
    engine: Engine | None = None
    """Where boxes are opened; None: on this machine."""

    @classmethod
    def open(cls, home: Home, actor: Actor, engine: Engine | None = None, clock: Clock = utc_now) -> TrialRuntime:
        """Open store and vault of ``home`` for ``actor``."""
        store = home.open_store(clock)
        return cls(home, store, Vault.of_home(home, store, actor), engine)

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

    @property
    def applications(self) -> Path:
        """Where applications are kept, each under its digest."""
        return self.folder("applications")

    def application_folder(self, digest: str) -> Path:
        return kept_folder(self.applications, digest)

    def hidden_run(self) -> AbstractContextManager[None]:
        """Hold off rehearsals while a box answers hidden cases: what those print in full could carry traces out."""
        return self._locked("boxes.lock", fcntl.LOCK_SH)

    def open_log_run(self) -> AbstractContextManager[None]:
        """Wait until no box answers hidden cases, and prevent new ones from starting meanwhile."""
        return self._locked("boxes.lock", fcntl.LOCK_EX)

    def sealing(self) -> AbstractContextManager[None]:
        """Seal one scenario at a time: each looks at those sealed before it."""
        return self._locked("sealing.lock", fcntl.LOCK_EX)

    @contextmanager
    def _locked(self, name: str, kind: int) -> Iterator[None]:
        with (self.folder("tmp") / name).open("a") as lock:
            fcntl.flock(lock, kind)
            yield

    def close(self) -> None:
        self.store.close()


def organisation_uid(lab: TrialRuntime, organisation: str) -> int:
    """Return the uid of an organisation's boxes when started as root: given out once, never shared."""
    own = f"{organisation}/box-uid"
    with lab.view.transaction("lab.uid_given") as change:
        number = change.add(own, 0) or change.add(own, change.add(f"{lab.actor.organisation}/box-uids", 1))
    return FIRST_ORGANISATION_UID + number - 1


def name_once(view: View, head: str, digest: str) -> str:
    """Point ``head`` to ``digest`` unless it already has one, and return its digest: of two callers, the first wins."""
    try:
        with view.transaction("lab.named") as change:
            change.set_head(head, digest, expected=None)
    except ConflictError:
        return view.head(head) or digest
    return digest
