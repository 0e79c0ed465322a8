"""A view that has read at once what many questions ask for one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pilotbase.workspace.actors import Actor
from pilotbase.workspace.records import Stored
from pilotbase.workspace.store import View


@dataclass(frozen=True)
class Remembering(View):
    """A view as it was when ``documents`` were read; what is not among them is read when it is asked for."""

    documents: Mapping[str, Stored] = field(default_factory=dict)
    """Digest, or name of a head → the document."""

    def as_actor(self, actor: Actor) -> View:
        return View(self.store, actor, self.connection, self.request)

    def get(self, digest: str) -> Stored | None:
        return self.documents.get(digest) or super().get(digest)

    def head(self, name: str) -> str | None:
        known = self.documents.get(name)
        return known.digest if known is not None else super().head(name)

    def named(self, names: Sequence[str]) -> dict[str, Stored]:
        known = {name: self.documents[name] for name in names if name in self.documents}
        rest = [name for name in names if name not in known]
        return known | (super().named(rest) if rest else {})
