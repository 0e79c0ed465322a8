"""What is declared of an operation; routes, typed calls, commands, forms, reference and tests are made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode

import pydantic

from pilotbase.documents.api.shapes import InAddress, RequestModel
from pilotbase.documents.catalogues import catalogue
from pilotbase.documents.given_files import File
from pilotbase.documents.permissions import AnyAct, ReadScope
from pilotbase.documents.texts import Language, Text

In = TypeVar("In", bound=pydantic.BaseModel)
Out = TypeVar("Out")
NOTHING = type(None)
"""What an operation gives that answers nothing."""
_HEADINGS = {"datasets": "records", "trials.board": "board"}
"""Noun, or operation → the heading of the reference that it stands under where that is not its noun."""


class Callers(StrEnum):
    """Who reaches an operation at all; what they may do there, ``who`` says, and what they see, the store."""

    EVERYBODY = "everybody"
    """Visitors, too."""
    UNASKED = "unasked"
    """Everybody; nobody looks who it is."""
    MEMBERS = "members"
    OBSERVERS = "observers"
    """Members, and who holds a service's key of scope ``observe``."""


class Repeated(StrEnum):
    """What comes of the same request again."""

    KEYED = "keyed"
    """Under the same Idempotency-Key it is done once and answered the same."""
    HARMLESS = "harmless"
    """It changes nothing more, without a key."""
    ONCE = "once"
    """It is refused, and names what was made: the first answer held a secret."""


@dataclass(frozen=True)
class _Mark:
    """Where a field of what is asked for stands."""

    place: str


PATH, BODY = _Mark("path"), _Mark("body")
"""In the address; the whole body. A field without a mark stands in the body, or in the query of a GET."""


class NoInput(RequestModel):
    """What is asked for by an operation that needs nothing."""


@dataclass(frozen=True, eq=False)
class Operation(Generic[In, Out]):
    """One operation. ``name`` is ``noun.verb``: the module that declares it and the one that binds it are ``noun``.

    Texts: ``op.<name>`` says what it is, ``op.<name>.more`` what it does, ``op.<name>.help`` what its command does
    where that reads otherwise, ``op.<name>.done`` what was done. A field is called ``ask.<name>.<field>`` or,
    everywhere alike, ``ask.<field>``; its help is ``….help``. Of many that a loop makes, ``words`` says what each is.
    """

    name: str
    http: str
    """Method and path under /api; ``{service}`` is the field ``service`` of what is asked for."""
    takes: type[In]
    gives: type[Out]
    who: AnyAct | ReadScope | None = None
    """Its row of `documents.permissions`; None: any caller, and the store cuts what they see."""
    only: str = ""
    """Who may, as the reference says it, where the function that does it decides and no row."""
    refuses: frozenset[int] = frozenset()
    """Statuses of problem details beyond those that follow from the rest, such as a read that may be refused: 403."""
    callers: Callers = Callers.MEMBERS
    repeated: Repeated = Repeated.KEYED
    marked: bool = False
    """Answers one document under its ETag: If-None-Match where it is read, If-Match where it is written."""
    status: int = 200
    location: str = ""
    """Address of what was made, such as ``/api/services/{given.name}``."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Header of the answer → its value, such as ``{given.received}``."""
    example: Mapping[str, Any] | None = None
    """What may be sent; of a whole document the schema has its own."""
    media: str = "application/octet-stream"
    """Of what kind the bytes are that it takes; JSON is looked at whatever it is called."""
    known_as: str = ""
    """Its id in the API's schema where that is not its name; with another noun where that was another, too.

    After a slash it is whole."""
    words: Text | None = None
    """What it is, where a loop makes many alike and no text of its own says so."""

    def __post_init__(self) -> None:
        stray = set(self._placed(PATH)) ^ {part[1:-1] for part in self.path.split("/") if part.startswith("{")}
        if stray:
            raise TypeError(f"{self.name}: {', '.join(sorted(stray))} must be marked PATH and stand in {self.path}")

    @property
    def noun(self) -> str:
        """Return the module that declares it, and that binds it."""
        return self.name.partition(".")[0]

    @property
    def heading(self) -> str:
        """Return under which heading of the reference it stands."""
        return _HEADINGS.get(self.name) or _HEADINGS.get(self.noun, self.noun)

    @property
    def id(self) -> str:
        """Return its name in the API's schema."""
        known = self.known_as or self.name.partition(".")[2]
        if known.startswith("/"):
            return known[1:]
        return f"pilotbase_hub_api_{known if '.' in known else f'{self.noun}.{known}'}".replace(".", "_")

    @property
    def method(self) -> str:
        """Return the method, such as ``POST``."""
        return self.http.partition(" ")[0]

    @property
    def path(self) -> str:
        """Return the path under /api as a template."""
        return self.http.partition(" ")[2]

    @property
    def writes(self) -> bool:
        """Tell whether it may change anything."""
        return self.method != "GET"

    @cached_property
    def in_path(self) -> tuple[str, ...]:
        """Return the fields of the address, in its order."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))

    @cached_property
    def whole(self) -> str | None:
        """Return the field that is the whole body."""
        return next(iter(self._placed(BODY)), None)

    @cached_property
    def others(self) -> tuple[str, ...]:
        """Return the fields of the body, or of the query."""
        placed = {*self.in_path, self.whole}
        return tuple(name for name in self.takes.model_fields if name not in placed)

    @cached_property
    def sent(self) -> Any:
        """Return the model of the body, or of the query: what is asked for without the address; None: nothing is."""
        if self.whole is not None:
            return self.takes.model_fields[self.whole].annotation
        if not self.in_path and self.writes:
            return self.takes if self.others else None
        return self._model(RequestModel, self.takes.__name__) if self.writes else self._query

    @cached_property
    def beside(self) -> Any:
        """Return the model of what the query says beside a body that is one field; None: nothing."""
        return self._query if self.whole is not None else None

    @property
    def takes_bytes(self) -> bool:
        """Tell whether the body is bytes as they are, and no JSON."""
        return self.sent is bytes

    @property
    def gives_file(self) -> bool:
        """Tell whether it gives a file."""
        return self.gives is File

    @property
    def in_parts(self) -> bool:
        """Tell whether it gives the part of a file that `Range` asks for."""
        return 416 in self.refuses

    def address(self, asked: In) -> str:
        """Return the path that ``asked`` names, with the query beside a whole body."""
        path = self.path.format(**{name: quote(str(getattr(asked, name)), safe=":") for name in self.in_path})
        beside = {
            name: str(getattr(asked, name)) for name in self.others if self.whole and name in asked.model_fields_set
        }
        return f"{path}?{urlencode(beside)}" if beside else path

    def said(self, language: Language, part: str = "") -> str:
        """Return one of its texts; empty where it has none of that kind."""
        if self.words is not None:
            return "" if part else self.words.render(language)
        return catalogue("op", language).get(f"op.{self.name}{part and '.'}{part}", "")

    def called(self, name: str, language: Language, part: str = "") -> str:
        """Return what a field is called, or its help; empty where nothing says so."""
        known, tail = catalogue("ask", language), f"{name}{part and '.'}{part}"
        return known.get(f"ask.{self.name}.{tail}") or known.get(f"ask.{tail}", "")

    @cached_property
    def _query(self) -> Any:
        return self._model(InAddress, f"{self.takes.__name__}Query")

    def _model(self, base: type[pydantic.BaseModel], name: str) -> Any:
        fields = self.takes.model_fields
        chosen: dict[str, Any] = {each: (fields[each].annotation, fields[each]) for each in self.others}
        return pydantic.create_model(name, __base__=base, __doc__=self.takes.__doc__, **chosen) if chosen else None

    def _placed(self, mark: _Mark) -> list[str]:
        return [name for name, one in self.takes.model_fields.items() if mark in one.metadata]
