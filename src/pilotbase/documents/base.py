"""The base of every document: frozen, closed, versioned, and named by the hash of its canonical JSON.

A draft may omit what only a later step reads: each such field names the step that first needs it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import IntEnum
from typing import Annotated, Any, ClassVar, Self, Unpack, cast

import pydantic
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticKnownError, core_schema

from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.hashes import canonical_json, digest_bytes
from pilotbase.documents.texts import Language, Text

LONGEST_NAME = 63
NAME = rf"[a-z0-9][a-z0-9_-]{{0,{LONGEST_NAME - 1}}}"
"""Pattern of a short name, to find it within a longer text."""
NAME_PATTERN = f"^{NAME}$"
Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
"""A short name that is safe in a path, a command line and an address."""
_HAN = re.compile(r"[\u3400-\u9fff]")
Suppliers = Annotated[
    tuple[Name, ...],
    pydantic.Field(min_length=1, max_length=100),
    pydantic.AfterValidator(lambda names: tuple(sorted(set(names)))),
]
"""Organisations among whom the error probability is split, each once, in the order of their names."""


def slug(spelling: str, otherwise: str = "") -> str:
    """Return the name closest to ``spelling``, as ``beng-gu-zhang-2024`` to 泵故障 2024; ``otherwise`` if none is."""
    plain = re.sub(r"[^a-z0-9]+", "-", _in_latin(spelling).lower()).strip("-")[:LONGEST_NAME].rstrip("-")
    return plain if re.fullmatch(NAME_PATTERN, plain) else otherwise


def _in_latin(spelling: str) -> str:
    if not _HAN.search(spelling):
        return spelling
    from pypinyin import lazy_pinyin

    return "-".join(lazy_pinyin(spelling, v_to_u=False))


@dataclass(frozen=True)
class Trimmed:
    """Strip white space at both ends of a text. ``max_length`` applies before that, ``min_length`` also after."""

    max_length: int
    min_length: int = 1

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        come = core_schema.str_schema(min_length=self.min_length or None, max_length=self.max_length)
        return core_schema.no_info_after_validator_function(self._trim, come)

    def _trim(self, come: str) -> str:
        if len(kept := come.strip()) < self.min_length:
            raise PydanticKnownError("string_too_short", {"min_length": self.min_length})
        return kept


def short_form(field: str) -> BeforeValidator:
    """Return what reads a plain text as a part of which only ``field`` is given."""
    return BeforeValidator(lambda value: {field: value} if isinstance(value, str) else value)


LONGEST_NOTE = 4000
Note = Annotated[str, StringConstraints(max_length=LONGEST_NOTE)]
"""A person's note on an action; it may be empty."""
Sentence = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NOTE)]
"""A person's required note on an action."""


def _require_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise InputError("input.no_zone")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise InputError("input.no_such_day", found=moment.isoformat()) from None


Moment = Annotated[datetime, AfterValidator(_require_utc)]
"""A zone-aware time, kept in UTC."""


def _require_day(day: str) -> str:
    try:
        date.fromisoformat(day)
    except ValueError:
        raise InputError("input.no_such_day", found=day) from None
    return day


IS_DAY = AfterValidator(_require_day)
Day = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), IS_DAY]
"""A day such as ``2027-06-30``."""


MOST_DIGITS = 40
"""Maximum characters of a number or a moment that is written as a text."""
_YEAR = re.compile(r"\d{4}-")


def require_short(value: Any) -> Any:
    """Return ``value``; a text that is too long to be a number is refused: thousands of zeros would pass as one."""
    if isinstance(value, str) and len(value) > MOST_DIGITS:
        raise PydanticKnownError("int_parsing_size")
    return value


def _require_spelled(value: Any) -> Any:
    """Return ``value`` unless it is a moment spelled as a number, which no schema of ours allows."""
    if isinstance(value, int | float) or (isinstance(value, str) and not _YEAR.match(require_short(value))):
        raise PydanticKnownError("datetime_type")
    return value


_AS_WRITTEN = {"int": require_short, "float": require_short, "datetime": _require_spelled}


def _as_written(schema: Any) -> Any:
    """Return a schema whose numbers and moments are only read from what its JSON Schema allows."""
    if isinstance(schema, list):
        return [_as_written(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kind = schema.get("type")
    if not isinstance(kind, str):  # schemas by name: fields, of which one may be called type
        return {name: _as_written(value) for name, value in schema.items()}
    if kind in _AS_WRITTEN:
        return core_schema.no_info_before_validator_function(_AS_WRITTEN[kind], cast(core_schema.CoreSchema, schema))
    return {name: value if name in ("metadata", "default") else _as_written(value) for name, value in schema.items()}


class AsWritten(BaseModel):
    """A model that reads no endless number, and no number as a moment."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return cast(core_schema.CoreSchema, _as_written(handler(source)))


class Part(AsWritten):
    """A frozen, closed piece of a document; property names in YAML and JSON are the aliases."""

    # Built when first used: a command loads hundreds of parts and uses few. So a field whose default is a part gets it
    # by `model_construct`: a call would build that part, and all that it holds, as soon as the module is loaded.
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, allow_inf_nan=False, defer_build=True)

    def to_json_value(self) -> dict[str, Any]:
        """Return the plain JSON value: aliases as names, absent optional fields left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def build_parts(packages: tuple[str, ...]) -> None:
    """Build now the parts that loaded modules of these packages define: a process that forks does it once for all."""
    waiting: list[type[Part]] = [Part]
    while waiting:
        part = waiting.pop()
        waiting += part.__subclasses__()
        if f"{part.__module__}.".startswith(packages):
            part.model_rebuild()


class Document(Part):
    """A self-contained part: it names its kind and version and has a digest."""

    document: str
    times_larger: ClassVar[int] = 1
    """How many times larger than other documents its file may be."""
    stand_ins: ClassVar[Mapping[str, Any]] = {}
    """Field → a substitute for a value that cannot be read, so that the rest can be checked."""
    rests_on: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Code of a problem → fields that it depends on, other than the one it is reported for."""

    def __init_subclass__(cls, *, published: bool = False, **config: Unpack[ConfigDict]) -> None:
        super().__init_subclass__(**config)
        if published:
            PUBLISHED.append(cls)

    def _problems(self) -> Iterable[tuple[str, Text]]:
        """Yield what contradicts itself in it: the field to change, and the sentence."""
        return ()

    @model_validator(mode="after")
    def _contradicts_nothing(self) -> Self:
        found = [Issue(file="", path=path, problem=problem) for path, problem in self._problems()]
        if found:
            raise InputError.from_issues("", found)
        return self

    def canonical(self) -> bytes:
        """Return the canonical JSON (RFC 8785) whose SHA-256 names this document."""
        return canonical_json(self.to_json_value())

    def digest(self) -> str:
        """Return ``sha256:<hex>`` of `canonical`."""
        return digest_bytes(self.canonical())

    @classmethod
    def from_json_value(cls, value: object) -> Self:
        """Return the document that ``value`` spells; raises `pydantic.ValidationError`."""
        return cls.model_validate(value)


PUBLISHED: list[type[Document]] = []
"""The documents with a published JSON Schema."""


class Localized(Part):
    """A sentence by a user in English, 中文 or both; if one is missing, the other is shown."""

    en: str | None = None
    zh: str | None = None

    def render(self, language: Language = "en") -> str:
        preferred, other = (self.en, self.zh) if language == "en" else (self.zh, self.en)
        return preferred or other or ""


def localized(sentence: Localized | str | None, language: Language = "en") -> str:
    """Return what a user wrote, in ``language`` if present; empty if there is nothing."""
    return sentence.render(language) if isinstance(sentence, Localized) else sentence or ""


class Step(IntEnum):
    """Steps of a document, in order."""

    DRAFT = 0
    REHEARSE = 1
    FREEZE = 2
    PUBLISH = 3
    """For a dataset: it enters the catalogue."""


def needed_for(step: Step, empty: object = None) -> Any:
    """Return a pydantic field that may stay ``empty`` until ``step``."""
    return pydantic.Field(default=empty, json_schema_extra={"needed_for": step.name.lower()})


def missing_for(document: Document, step: Step) -> tuple[str, ...]:
    """Return the paths of fields that ``document`` still needs for ``step``."""
    return tuple(_missing(document, step, ""))


def _missing(part: pydantic.BaseModel, step: Step, path: str) -> list[str]:
    found: list[str] = []
    for name, info in type(part).model_fields.items():
        value = getattr(part, name)
        extra = info.json_schema_extra
        needed = extra.get("needed_for") if isinstance(extra, dict) else None
        if needed is not None and Step[str(needed).upper()] <= step and value in (None, ()):
            found.append(f"{path}{name}")
        if isinstance(value, pydantic.BaseModel):
            found += _missing(value, step, f"{path}{name}.")
    return found
