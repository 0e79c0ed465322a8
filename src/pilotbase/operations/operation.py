"""The declaration of an operation, from which routes, typed calls, commands, forms, reference and tests derive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import quote, urlencode

import pydantic

from pilotbase.documents.api.shapes import InAddress, RequestModel
from pilotbase.documents.catalogues import catalogue
from pilotbase.documents.files import File
from pilotbase.documents.permissions import AnyAct, ReadScope
from pilotbase.documents.texts import Language, Text

In = TypeVar("In", bound=pydantic.BaseModel)
Out = TypeVar("Out")
Sent = TypeVar("Sent")
NOTHING = type(None)
"""The output of an operation that returns nothing."""
_HEADINGS = {"datasets": "records", "descriptions": "records", "trials.board": "board"}
"""Noun or operation → its heading in the reference, if that is not its noun."""


class Callers(StrEnum):
    """Who can call an operation at all. ``who`` says what they may do there, and the store limits what they see."""

    EVERYBODY = "everybody"
    """Visitors, too."""
    UNASKED = "unasked"
    """Everybody; the caller is not identified."""
    MEMBERS = "members"
    OBSERVERS = "observers"
    """Members, and holders of a service's key with scope ``observe``."""


class Repeated(StrEnum):
    """The effect of sending the same request again."""

    KEYED = "keyed"
    """With the same Idempotency-Key it is done once, and the answer is the same."""
    HARMLESS = "harmless"
    """It changes nothing more, even without a key."""
    ONCE = "once"
    """It is refused, naming what was created: the first answer contained a secret."""
    ANEW = "anew"
    """It is done again, whatever key comes with it: an address gets another link."""


@dataclass(frozen=True)
class _Mark:
    """The place of an input field in the request."""

    place: str


PATH, BODY = _Mark("path"), _Mark("body")
"""In the address; as the whole body. A field without a mark is in the body, or in the query of a GET."""


class NoInput(RequestModel):
    """The input of an operation that takes none."""


class With(RequestModel, Generic[Sent]):
    """An input whose body is one document, or bytes; what stands in the address is added by a base of its own."""

    sent: Annotated[Sent, BODY]


@dataclass(frozen=True, eq=False)
class Operation(Generic[In, Out]):
    """One operation. ``name`` is ``noun.verb``; the modules that declare and bind it are called ``noun``.

    Texts: ``op.<name>`` is its title and ``op.<name>.more`` its description. ``op.<name>.help`` describes its command
    if the description does not fit, and ``op.<name>.done`` reports success. A field has the text ``ask.<name>.<field>``
    or, shared by all operations, ``ask.<field>``; its help is ``….help``. ``words`` is the title of one made in a loop.
    """

    name: str
    http: str
    """Method and path under /api; ``{service}`` is the field ``service`` of the input."""
    takes: type[In]
    gives: type[Out]
    who: AnyAct | ReadScope | None = None
    """Its row of `documents.permissions`; None: any caller, and the store limits what they see."""
    only: str = ""
    """Who may do it, in the words of the reference, if its function decides instead of a row."""
    refuses: frozenset[int] = frozenset()
    """Additional statuses of problem details that do not follow from the rest, such as 403 for a read."""
    callers: Callers = Callers.MEMBERS
    repeated: Repeated = Repeated.KEYED
    marked: bool = False
    """Returns one document with its ETag: reading honours If-None-Match, writing If-Match."""
    shared: bool = False
    """Returns the same to everybody: caches may keep it for some minutes, a file as long as its ETag is confirmed."""
    visits: int | None = None
    """Calls a minute that visitors from one address may make; None: no limit."""
    later: bool = False
    """What it makes is only begun when it answers (202): its ``location`` is asked for it again."""
    location: str = ""
    """Address of the created object, such as ``/api/services/{given.name}``."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Header of the answer → its value, such as ``{given.received}``."""
    example: Mapping[str, Any] | None = None
    """An example of the input; the schema has its own for a whole document."""
    meanwhile: type[Any] | None = None
    """What it gives (202) while its file is still being made: its ``location`` is asked for it again."""
    media: str = "application/octet-stream"
    """Media type of the bytes that it takes or gives; JSON is read under any type."""
    words: Text | None = None
    """Its title, if a loop makes many similar operations without separate texts."""

    def __post_init__(self) -> None:
        stray = set(self._placed(PATH)) ^ {part[1:-1] for part in self.path.split("/") if part.startswith("{")}
        if stray:
            raise TypeError(f"{self.name}: {', '.join(sorted(stray))} must be marked PATH and stand in {self.path}")

    @property
    def noun(self) -> str:
        """Return the name of the modules that declare and bind it."""
        return self.name.partition(".")[0]

    @property
    def heading(self) -> str:
        """Return its heading in the reference."""
        return _HEADINGS.get(self.name) or _HEADINGS.get(self.noun, self.noun)

    @property
    def method(self) -> str:
        """Return the method, such as ``POST``."""
        return self.http.partition(" ")[0]

    @property
    def path(self) -> str:
        """Return the path under /api as a template."""
        return self.http.partition(" ")[2]

    @property
    def status(self) -> int:
        """Return the status of its answer where nothing is wrong."""
        if self.gives is NOTHING:
            return 204
        return 202 if self.later else 201 if self.location and not self.gives_file else 200

    @property
    def writes(self) -> bool:
        """Return whether it can change anything."""
        return self.method != "GET"

    @property
    def keyed(self) -> bool:
        """Return whether it reads an Idempotency-Key: sent again it would do more, or do it again."""
        return self.writes and self.repeated in (Repeated.KEYED, Repeated.ONCE)

    @cached_property
    def in_path(self) -> tuple[str, ...]:
        """Return the fields in the address, in their order."""
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
        """Return the model of the body or the query: the input without the address; None: there is none."""
        if self.whole is not None:
            return self.takes.model_fields[self.whole].annotation
        if not self.in_path and self.writes:
            return self.takes if self.others else None
        return self._model(RequestModel, self.takes.__name__) if self.writes else self._query

    @cached_property
    def beside(self) -> Any:
        """Return the model of the query next to a body that is one field; None: there is none."""
        return self._query if self.whole is not None else None

    @property
    def takes_bytes(self) -> bool:
        """Return whether the body is raw bytes instead of JSON."""
        return self.sent is bytes

    @property
    def gives_file(self) -> bool:
        """Return whether it returns a file."""
        return self.gives is File

    @property
    def in_parts(self) -> bool:
        """Return whether it returns the part of a file that the header ``Range`` names."""
        return 416 in self.refuses

    def address(self, asked: In) -> str:
        """Return the path for ``asked``, with the query next to a whole body."""
        path = self.path.format(**{name: quote(str(getattr(asked, name)), safe=":") for name in self.in_path})
        beside = {
            name: str(getattr(asked, name)) for name in self.others if self.whole and name in asked.model_fields_set
        }
        return f"{path}?{urlencode(beside)}" if beside else path

    def said(self, language: Language, part: str = "") -> str:
        """Return one of its texts; empty if it has none of that kind."""
        if self.words is not None:
            return "" if part else self.words.render(language)
        return catalogue("op", language).get(f"op.{self.name}{part and '.'}{part}", "")

    def called(self, name: str, language: Language, part: str = "") -> str:
        """Return the label of a field, or its help; empty if the catalogue has none."""
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
