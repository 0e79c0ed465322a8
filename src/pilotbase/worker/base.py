"""A base opened for work: home, test lab and keys."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pilotbase.certificate.revoking import publish_revocations
from pilotbase.certificate.trust import (
    TrustFolder,
    create_trust,
    has_trust,
    open_trust,
    require_name,
    rotate_root,
    rotate_signing_key,
    write_trust_roots,
)
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Role
from pilotbase.trial.lab import TrialRuntime
from pilotbase.vault.place import Vault
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.home import Home, HomeSettings, home_path, init_home, open_home
from pilotbase.workspace.store import Clock, View, utc_now

if TYPE_CHECKING:
    from pilotbase.sandbox.engines import Engine

DEFAULT_NAME = "pilot-base"


@dataclass(frozen=True)
class Base:
    """One base on one machine; its operator acts."""

    home: Home
    lab: TrialRuntime

    @property
    def trust(self) -> TrustFolder:
        """Return the keys as they are now: another process may have replaced them."""
        return open_trust(self.home.keys.path)

    @property
    def trust_roots(self) -> Path:
        return self.home.trust_roots

    @property
    def revocations(self) -> Path:
        return self.home.path / "revocations.json"


def open_base(
    create: bool = False,
    name: str | None = None,
    engine: Engine | None = None,
    settings: HomeSettings | None = None,
    clock: Clock = utc_now,
) -> Base:
    """Return the base in ``PILOTBASE_HOME``; with ``create``, set it up first if there is none.

    ``engine`` is where boxes are opened, by default on this machine. ``name`` is the name that the base signs under;
    None takes its present name, or `DEFAULT_NAME` for a new one. ``settings`` say where a new one keeps store and
    blobs. ``clock``: that of its store, and of its trust when that is made.

    Raises:
        InputError: there is none (``pilotbase init`` makes one), or ``name`` is no name.
        RefusedError: it has another name, or the clock is outside the time of its signing key.
        InvalidProofError: its store was changed behind its log.
    """
    if not create:
        home = open_home(home_path())
        return _opened(home, open_trust(home.keys.path), engine, clock)
    if name is not None:
        require_name(name)
    home = init_home(home_path(), settings)
    if name is None and has_trust(home.keys.path):
        trust = open_trust(home.keys.path)
    else:
        trust = create_trust(home.keys.path, DEFAULT_NAME if name is None else name, clock())
    base = _opened(home, trust, engine, clock)
    _publish(base)
    return base


def rotate_key(base: Base, root: bool) -> Text:
    """Replace the signing key, or the root key, and rewrite the public roots; return what was done."""
    now = base.lab.store.clock()
    if root:
        _publish_keys(base, "base.root_rotated", rotate_root(base.trust, now))
        return text("worker.root_rotated")
    _publish_keys(base, "base.signing_key_rotated", rotate_signing_key(base.trust, now))
    return text("worker.signing_key_rotated")


def revoke_key(base: Base) -> Text:
    """Replace a signing key that somebody else may have, and revoke all that it signed; return what was done."""
    revoked = base.trust
    rotate_signing_key(revoked, base.lab.store.clock(), compromised=True)
    _publish_keys(base, "base.signing_key_revoked", revoked)
    return text("worker.signing_key_revoked")


def _publish_keys(base: Base, action: str, about: TrustFolder) -> None:
    """Publish the keys that there are now, and what follows for certificates; the log names the key of ``about``."""
    _publish(base)
    with base.lab.view.transaction("base.key_rotated") as change:
        change.record(action, [about.state.signing_key])


def _opened(home: Home, trust: TrustFolder, engine: Engine | None, clock: Clock) -> Base:
    return Base(home, TrialRuntime.open(home, Actor(trust.issuer, frozenset({Role.OPERATOR})), engine, clock))


def _publish(base: Base) -> None:
    write_trust_roots(base.trust, base.trust_roots)
    renew_revocations(base)


def vault_of(base: Base, view: View) -> Vault:
    """Return the vault with the access of the actor of ``view``."""
    return replace(base.lab.vault, view=view)


def renew_revocations(base: Base) -> None:
    """Renew the date of the public list of revocations; raises as `publish_revocations`."""
    publish_revocations(base.trust, base.lab.view, base.revocations, base.lab.store.clock())


def base_if_any() -> Base | None:
    """Return the base in ``PILOTBASE_HOME``, or None if there is none; raises as `open_base` does."""
    return open_base() if (home_path() / "home.json").is_file() else None
