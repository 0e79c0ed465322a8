"""How documents are stored and who sees them: the one place where a view is cut to an actor."""

from __future__ import annotations

import json
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, bindparam, exists, or_, select, true

from pilotbase.documents.base import Document
from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.hashes import digest_bytes, is_digest
from pilotbase.workspace import tables
from pilotbase.workspace.actors import Actor, Visibility
from pilotbase.workspace.failures import NotFoundError

D = TypeVar("D", bound=Document)
FieldValue = str | int | bool
Fields = Mapping[str, FieldValue | Sequence[FieldValue]]

_SEARCH_LIMIT = 20_000
_FIELD_LIMIT = 400
EYES = 1024
"""The number of actors for whom a statement is kept: building one takes longer than the query itself."""
_documents = tables.documents.c


@dataclass(frozen=True)
class Stored:
    """A document in the store: canonical JSON bytes with kind, owner and visibility."""

    digest: str
    kind: str
    owner: str
    visibility: Visibility
    stored_at: datetime
    body: bytes

    def load(self, model: type[D]) -> D:
        """Return the document as ``model``; raises `NotFoundError` when it is of another kind."""
        value = json.loads(self.body)
        if not isinstance(value, dict) or kind_of(str(value.get("document"))) != _kind_of_model(model, self.kind):
            raise NotFoundError("workspace.not_found", name=self.digest)
        return model.from_json_value(value)


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """Return the condition on rows of ``documents`` that is equivalent to `Visibility.admits`."""
    return true() if actor.sees_all else _visible_in(actor.organisation)


@lru_cache(EYES)
def _visible_in(organisation: str) -> ColumnElement[bool]:
    party = tables.document_parties.c
    named = exists().where(
        party.digest == _documents.digest,
        party.owner == _documents.owner,
        party.organisation == organisation,
    )
    shared = and_(_documents.scope == "parties", or_(_documents.owner == organisation, named))
    return or_(_documents.scope == "public", shared)


def get(connection: Connection, actor: Actor, digest: str) -> Stored | None:
    """Return the document named ``digest``, the actor's own copy first, or None if the actor sees none."""
    rows = connection.execute(_copies(actor.organisation, actor.sees_all), {"digest": digest}).all()
    return next(_read(connection, rows), None)


@lru_cache(EYES)
def _copies(organisation: str, sees_all: bool) -> Select[Any]:
    seen = true() if sees_all else _visible_in(organisation)
    own_first = (_documents.owner != organisation, _documents.sequence)
    of_digest = _documents.digest == bindparam("digest")
    return select(tables.documents).where(seen, of_digest).order_by(*own_first).limit(1)


def digest_of_head(connection: Connection, actor: Actor, name: str) -> str | None:
    """Return the digest of head ``name``, or None if the actor sees no such document."""
    return connection.scalar(_heads(actor.organisation, actor.sees_all), {"name": name})


@lru_cache(EYES)
def _heads(organisation: str, sees_all: bool) -> Select[str]:
    seen = true() if sees_all else _visible_in(organisation)
    head = tables.heads.c
    of_head = and_(head.digest == _documents.digest, head.owner == _documents.owner)
    return select(head.digest).join(tables.documents, of_head).where(head.name == bindparam("name"), seen)


def get_all(connection: Connection, actor: Actor, digests: Sequence[str]) -> dict[str, Stored]:
    """Return digest → the document that `get` returns, for those that the actor sees."""
    own_last = (_documents.owner == actor.organisation, _documents.sequence.desc())
    rows = _visible(actor).where(_documents.digest.in_(digests)).order_by(*own_last)
    return {stored.digest: stored for stored in _stored(connection, rows)}


def named(connection: Connection, actor: Actor, names: Sequence[str]) -> dict[str, Stored]:
    """Return name → the document of this head, for those that the actor sees."""
    head = tables.heads.c
    of_head = and_(head.digest == _documents.digest, head.owner == _documents.owner)
    rows = select(tables.documents, head.name).join(tables.heads, of_head).where(head.name.in_(names))
    found = connection.execute(rows.where(visible_to(actor))).all()
    return dict(zip((row.name for row in found), _read(connection, found), strict=True))


def copy_of(connection: Connection, digest: str, owner: str) -> Stored | None:
    """Return the copy of ``digest`` that ``owner`` holds, independent of who may see it."""
    rows = connection.execute(_COPY, {"digest": digest, "owner": owner}).all()
    return next(_read(connection, rows), None)


_COPY = select(tables.documents).where(_documents.digest == bindparam("digest"), _documents.owner == bindparam("owner"))


def find(connection: Connection, actor: Actor, kind: str, fields: Fields, limit: int | None) -> list[Stored]:
    """Return documents of ``kind`` with all ``fields``, newest first; at most ``limit``, if there is one."""
    rows = _visible(actor).where(_documents.kind == kind, *(_has_field(*pair) for pair in field_values(fields)))
    return list(_stored(connection, rows.order_by(_documents.sequence.desc()).limit(limit)))


def search(connection: Connection, actor: Actor, words: str, kind: str | None, limit: int) -> list[Stored]:
    """Return documents whose text holds every word of ``words``, newest first.

    A word is found anywhere, inside longer words too: this serves both Chinese, which has no spaces, and English. It
    reads every document's text (LIKE), which is adequate for tens of thousands of documents; no ranking.
    """
    terms = fold(words).split()
    rows = _visible(actor).where(*(_documents.search.contains(term, autoescape=True) for term in terms))
    if kind is not None:
        rows = rows.where(_documents.kind == kind)
    return list(_stored(connection, rows.order_by(_documents.sequence.desc()).limit(limit)))


def field_values(fields: Fields) -> Iterator[tuple[str, str]]:
    """Iterate (name, value) pairs; a sequence gives one pair for each item."""
    for name, value in fields.items():
        many = value if isinstance(value, Sequence) and not isinstance(value, str) else (value,)
        for one in many:
            yield name, (json.dumps(one) if isinstance(one, bool) else str(one))[:_FIELD_LIMIT]


def text_of(document: Document) -> str:
    """Return the text that a search of ``document`` reads: all its strings, without digests, folded."""
    words = (word for word in _strings(document.to_json_value()) if not is_digest(word))
    return fold("\n".join(words))[:_SEARCH_LIMIT]


def fold(text: str) -> str:
    """Return ``text`` without differences of case and width (NFKC), as search compares it."""
    return unicodedata.normalize("NFKC", text).casefold().replace("\x00", "")


def kind_of(document: str) -> str:
    """Return ``scenario`` of ``scenario/1``."""
    return document.partition("/")[0]


def _visible(actor: Actor) -> Select[Any]:
    return select(tables.documents).where(visible_to(actor))


def _has_field(name: str, value: str) -> ColumnElement[bool]:
    field = tables.document_fields.c
    return exists().where(
        field.digest == _documents.digest, field.owner == _documents.owner, field.name == name, field.value == value
    )


def _stored(connection: Connection, rows: Select[Any]) -> Iterator[Stored]:
    yield from _read(connection, connection.execute(rows).all())


def _read(connection: Connection, rows: Sequence[Row[Any]]) -> Iterator[Stored]:
    named = _parties_of(connection, [row for row in rows if row.scope == "parties"])
    for row in rows:
        if digest_bytes(row.body) != row.digest:
            raise InvalidProofError("workspace.document_damaged", digest=row.digest)
        visibility = Visibility(row.scope, frozenset(named[row.digest, row.owner]))
        yield Stored(row.digest, row.kind, row.owner, visibility, row.stored_at, row.body)


def _parties_of(connection: Connection, rows: Sequence[Row[Any]]) -> Mapping[tuple[str, str], list[str]]:
    """Return (digest, owner) → the organisations that the documents of ``rows`` name, and maybe more; none: empty."""
    found = defaultdict[tuple[str, str], list[str]](list)
    if rows:
        digests = list({row.digest for row in rows})
        for digest, owner, organisation in connection.execute(_PARTIES, {"digests": digests}):
            found[digest, owner].append(organisation)
    return found


_party = tables.document_parties.c
_PARTIES = select(_party.digest, _party.owner, _party.organisation).where(
    _party.digest.in_(bindparam("digests", expanding=True))
)


def _kind_of_model(model: type[Document], default: str) -> str:
    """Return the kind that ``model`` fixes by a literal default or annotation, else ``default``."""
    literals = getattr(model.model_fields["document"].annotation, "__args__", ())
    return kind_of(str(literals[0])) if literals else default


def _strings(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
