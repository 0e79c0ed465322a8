"""A document from a YAML or JSON file, or every problem of it at once: file, line, field path, found, allowed.

Reading has one direction: it reports values of a wrong form, mends the document there and reads it again. So one run
also reports the problems elsewhere, but none that only follow from others.

Mending: a word similar to a known one is taken for it; what cannot be read is left out or substituted. Nobody gets a
mended document: it is only used for further checks. Places always refer to the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Generic, TypeVar, get_args

import pydantic
from pydantic_core import ErrorDetails

from pilotbase.documents.base import Document, Step, missing_for
from pilotbase.documents.errors import InputError, Issue, meant, offer
from pilotbase.documents.texts import Text, text
from pilotbase.documents.yaml_reader import Plain, YamlSource, read_yaml

AnyDocument = TypeVar("AnyDocument", bound=Document)
AnyModel = TypeVar("AnyModel", bound=pydantic.BaseModel)
Model = type[pydantic.BaseModel]
_MOST_ROUNDS = 12
_MOST_ASKED = 200
"""Maximum problems that get suggestions: for thousands, finding what was meant would take too long."""
Upgrade = Callable[[dict[str, Plain]], dict[str, Plain]]
UPGRADES: dict[str, Upgrade] = {}
"""``scenario/1`` → the function that converts it to ``scenario/2``. All kinds are at version 1 today."""
_NO_TEXT, _NO_NUMBER, _NO_WHOLE = "input.reason.no_text", "input.reason.no_number", "input.reason.no_whole_number"
_NO_LIST, _NO_FIELDS, _NO_MOMENT = "input.reason.no_list", "input.reason.no_fields", "input.reason.no_moment"
_REASONS: dict[str, str] = {
    "string_type": _NO_TEXT,
    "string_unicode": _NO_TEXT,
    "string_too_short": "input.reason.short",
    "string_too_long": "input.reason.long",
    "string_pattern_mismatch": "input.reason.pattern",
    "int_type": _NO_WHOLE,
    "int_parsing": _NO_WHOLE,
    "int_parsing_size": _NO_WHOLE,
    "int_from_float": _NO_WHOLE,
    "float_type": _NO_NUMBER,
    "float_parsing": _NO_NUMBER,
    "finite_number": _NO_NUMBER,
    "bool_type": "input.reason.no_truth",
    "bool_parsing": "input.reason.no_truth",
    "greater_than": "input.reason.greater",
    "greater_than_equal": "input.reason.at_least",
    "less_than": "input.reason.less",
    "less_than_equal": "input.reason.at_most",
    "list_type": _NO_LIST,
    "tuple_type": _NO_LIST,
    "too_short": "input.reason.few",
    "too_long": "input.reason.many",
    "dict_type": _NO_FIELDS,
    "model_type": _NO_FIELDS,
    "model_attributes_type": _NO_FIELDS,
    "datetime_type": _NO_MOMENT,
    "datetime_parsing": _NO_MOMENT,
    "datetime_from_date_parsing": _NO_MOMENT,
    "timezone_aware": _NO_MOMENT,
}
"""pydantic's type of error → our sentence."""
_OTHER_TYPE = {_NO_TEXT, _NO_NUMBER, _NO_WHOLE, _NO_LIST, _NO_FIELDS, _NO_MOMENT, "input.reason.no_truth"}
_SUCH_AS = {
    **{"version": "1.0.0", "entry_point": "app:predict", "model": "model.onnx", "image": "image.tar"},
    **{"name": "pump-failure", "organisation": "river-power", "requirements": "requirements.lock"},
    **{"since": "2026-05-31", "until": "2026-05-31", "url": "https://models.example/v1", "currency": "CNY"},
}
"""Field that people write by hand → a value of its form."""
_BOUNDS = ("min_length", "max_length", "pattern", "gt", "ge", "lt", "le")
UNKNOWN_FIELD, MISSING_FIELD = "input.unknown_field", "input.missing_field"


@dataclass(frozen=True)
class LoadedDocument(Generic[AnyDocument]):
    """A document as far as it could be read, with every problem of its form."""

    source: YamlSource
    issues: tuple[Issue, ...]
    mended: Mended
    document: AnyDocument | None
    """The document for further checks; if there are issues, it is mended and must not be used for anything else."""

    def require(self) -> AnyDocument:
        """Return the document; raises `InputError` with every problem of its form."""
        if self.issues or self.document is None:
            raise InputError.from_issues(self.source.file, self.issues)
        return self.document

    def placed(self, issues: Iterable[Issue], rests_on: Callable[[Issue], Iterable[str]]) -> tuple[Issue, ...]:
        """Return the further issues of the document, with file and lines of the original.

        ``rests_on``: the paths that an issue depends on in addition to its own; issues that depend on unreadable values
        are dropped.
        """
        found = []
        for issue in issues:
            place = self.mended.place(issue.path)
            if not self.mended.follows(issue.path, rests_on(issue)):
                moved = {"file": self.source.file, "path": place, "line": _line(self.source, place)}
                found.append(issue.model_copy(update=moved))
        return tuple(found)


def load_document(model: type[AnyDocument], path: Path, step: Step = Step.DRAFT) -> AnyDocument:
    """Return the document in ``path``, upgraded to the current version and complete enough for ``step``.

    Raises:
        InputError: carries every problem as an `Issue` with its line.
    """
    return build_document(model, read_yaml(path, model.times_larger), step)


def build_document(model: type[AnyDocument], source: YamlSource, step: Step = Step.DRAFT) -> AnyDocument:
    """Return the document in ``source``; raises as `load_document`."""
    return read_document(model, source, step).require()


def read_document(model: type[AnyDocument], source: YamlSource, step: Step = Step.DRAFT) -> LoadedDocument[AnyDocument]:
    """Return the document in ``source`` as far as it can be read, and every problem of its form."""
    draft = as_written(upgrade(source.value))
    expected = current_version(model)
    if draft.value.get("document") != expected:
        kind = text("input.wrong_kind", found=source.value.get("document"), allowed=expected)
        issue = _issue(source, "document", kind)
        return LoadedDocument(source, (issue,), draft, None)
    issues: dict[tuple[str, str], Issue] = {}
    document: AnyDocument | None = None
    for _ in range(_MOST_ROUNDS):
        document, found = _validated(model, draft)
        problems = without_followers(found)
        for path, problem in problems:
            place = draft.place(path)
            guessed = place in draft.guessed and _is_of_other_type(problem)
            if not guessed and not draft.follows(path, model.rests_on.get(problem.code, ())):
                issues.setdefault((place, problem.code), _issue(source, place, problem))
        mended = mend(draft, problems, model.stand_ins) if problems else None
        if mended is None:
            break
        draft = mended
    lacking = missing_for(document, step) if document is not None else ()
    places = [draft.place(path) for path in lacking if not draft.follows(path)]
    for_step = text("input.missing_for_step", step=text(f"step.{step.name.lower()}"))
    said = sorted_issues([*issues.values(), *(_issue(source, place, for_step) for place in places)])
    return LoadedDocument(source, said, draft, document)


def sorted_issues(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    """Return issues in the order of the file."""
    return tuple(sorted(issues, key=lambda issue: (issue.line or 0, issue.path)))


def parse_request(model: type[AnyModel], said: Mapping[str, object], shown_as: str = "") -> AnyModel:
    """Return the value; raises `InputError` with every problem at once."""
    try:
        return model.model_validate(said)
    except pydantic.ValidationError as error:
        raise InputError.from_issues(shown_as, issues_of(shown_as, error)) from None


def issues_of(file: str, error: pydantic.ValidationError, model: Model | None = None) -> list[Issue]:
    """Return every problem of ``error``, in our sentences, for input that was sent and not read from a file.

    If ``model`` is given, unknown fields are reported together with the fields that it has.
    """
    found = [
        Issue(file=file, path=path, problem=problem)
        for one in error.errors(include_url=False)
        for path, problem in _problems(one, _joined(one["loc"]), model)
    ]
    return sorted(found, key=lambda issue: issue.path)


def _validated(model: type[AnyDocument], draft: Mended) -> tuple[AnyDocument | None, Sequence[tuple[str, Text]]]:
    try:
        return model.model_validate(draft.value), ()
    except pydantic.ValidationError as error:
        errors = error.errors(include_url=False)
    told = [(one, _path(one["loc"], model, draft)) for one in errors]
    parted = {above for _, path in told for above in islice(ways_up(path), 1, None)}
    return None, [
        found
        for number, (one, path) in enumerate(told)
        if not (_only_follows(one) and path in parted)
        for found in _problems(one, path, model if number < _MOST_ASKED else None)
    ]


def _only_follows(error: ErrorDetails) -> bool:
    """Return whether ``error`` only repeats a problem inside it: fields that aren't text, too few entries left."""
    return error["type"] == "too_short" or (error["type"] == "string_type" and isinstance(error["input"], dict))


def _issue(source: YamlSource, place: str, problem: Text) -> Issue:
    return Issue(file=source.file, path=place, problem=problem, line=_line(source, place))


def _line(source: YamlSource, place: str) -> int | None:
    return source.lines.get(nearest_above(place, source.lines))


def _path(location: Sequence[int | str], model: Model, draft: Mended) -> str:
    """Format pydantic's location as a field path, without the tags of unions, which files don't contain."""
    path = ""
    for position, step in enumerate(location):
        longer = f"{path}[{step}]" if isinstance(step, int) else f"{path}.{step}" if path else str(step)
        lacks = position == len(location) - 1 and step in _field_names(model, location[:-1])
        if isinstance(step, int) or longer in draft.places or lacks:
            path = longer
    return path


def _joined(location: tuple[int | str, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location).lstrip(".")


def _problems(error: ErrorDetails, path: str, model: Model | None) -> list[tuple[str, Text]]:
    inner = error.get("ctx", {}).get("error")
    if isinstance(inner, InputError):
        return [(issue.path, issue.problem) for issue in inner.issues] or [(path, inner.text)]
    return [(path, _problem(error, model))]


def _problem(error: ErrorDetails, model: Model | None) -> Text:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "missing":
        return text(MISSING_FIELD)
    if kind == "extra_forbidden":
        *above, name = error["loc"]
        names = _field_names(model, above) if model else ()
        return text(UNKNOWN_FIELD, allowed=offer(str(name), names) if names else text("input.offer.reference"))
    if kind in ("enum", "literal_error", "union_tag_invalid", "union_tag_not_found"):
        found = str(context.get("tag", _found(error)))
        return text("input.not_allowed", found=found, allowed=offer(found, _allowed(context)))
    inner = context.get("error")
    reason = str(inner) if isinstance(inner, ValueError) else reason_of(error)
    return text("input.invalid_value", found=_found(error), reason=reason)


def _is_of_other_type(problem: Text) -> bool:
    reason = problem.params.get("reason")
    return isinstance(reason, Text) and reason.code in _OTHER_TYPE


def _allowed(context: Mapping[str, Any]) -> list[str]:
    """Return the words from a list in pydantic's English: ``'early', 'full' or 'fixed'``."""
    listed = str(context.get("expected") or context.get("expected_tags") or context.get("discriminator"))
    return re.findall(r"'([^']*)'", listed) or [listed]


def _found(error: ErrorDetails) -> str:
    found = error["input"]
    return "" if isinstance(found, dict | list | pydantic.BaseModel) else str(found)[:80]


def current_version(model: type[Document]) -> str:
    """Return the kind and version that the software writes, such as ``scenario/1``."""
    return str(model.model_fields["document"].default)


def upgrade(value: dict[str, Plain], upgrades: dict[str, Upgrade] | None = None) -> dict[str, Plain]:
    """Return ``value`` upgraded to the newest version, one step at a time; unknown versions are returned unchanged."""
    steps = UPGRADES if upgrades is None else upgrades
    while (version := str(value.get("document"))) in steps:
        value = steps[version](dict(value))
    return value


def reason_of(error: ErrorDetails) -> Text | str:
    """Return why ``error`` refuses a value: our sentence, or pydantic's for its own validators."""
    code = _REASONS.get(error["type"])
    if code is None:
        return error["msg"]
    context, field = error.get("ctx", {}), error["loc"][-1] if error["loc"] else ""
    bound = next((context[name] for name in _BOUNDS if name in context), "")
    if "pattern" in context and field in _SUCH_AS:
        return text("input.reason.such_as", example=_SUCH_AS[str(field)], bound=bound)
    return text(code, bound=bound)


def _field_names(model: Model, location: Sequence[int | str]) -> tuple[str, ...]:
    """Return the names of the fields at ``location`` of ``model``, as in files; empty if there is no part.

    ``location`` is pydantic's: names of fields, numbers of entries, and tags of unions.
    """
    parts: list[Model] = [model]
    for step in location:
        if isinstance(step, str):
            parts = _inside(parts, step)
    return tuple(dict.fromkeys(field.alias or name for part in parts for name, field in part.model_fields.items()))


def _inside(parts: list[Model], step: str) -> list[Model]:
    """Return the parts that the field ``step`` may hold; among several, a tag chooses, regardless of field names."""
    tagged = [part for part in parts if _is_tagged(part, step)]
    if len(parts) > 1 and tagged:
        return tagged
    fields = [field for part in parts for name, field in part.model_fields.items() if step in (name, field.alias)]
    return [inner for field in fields for inner in _models(field.annotation)] if fields else tagged or parts


def _models(annotation: Any) -> Iterator[Model]:
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def _is_tagged(part: Model, tag: str) -> bool:
    return part.__name__ == tag or any(field.default == tag for field in part.model_fields.values())


@dataclass(frozen=True)
class Mended:
    """The content of a file, mended so far."""

    value: dict[str, Plain]
    places: Mapping[str, str]
    """Path in ``value`` → path in the file."""
    parts: Mapping[str, Plain]
    """Path in ``value`` → the value there."""
    doubtful: frozenset[str] = frozenset()
    """Places that could not be read: an issue there, or one that depends on them, is not a separate problem."""
    guessed: frozenset[str] = frozenset()
    """Places of unknown fields that were taken for others: only a value of the other's type confirms the guess."""

    def place(self, path: str) -> str:
        """Return the place of ``path`` in the file, even if there is nothing there."""
        known = nearest_above(path, self.places)
        return self.places.get(known, "") + path[len(known) :] if known else path

    def follows(self, path: str, rests_on: Iterable[str] = ()) -> bool:
        """Return whether a problem at ``path``, and at others it depends on, may follow from an unreadable place."""
        places = [self.place(one) for one in (path, *rests_on)]
        return any(place in self._around or not self.doubtful.isdisjoint(ways_up(place)) for place in places)

    @cached_property
    def _around(self) -> frozenset[str]:
        return frozenset(above for place in self.doubtful for above in ways_up(place))


def as_written(value: dict[str, Plain]) -> Mended:
    """Return ``value`` as in the file."""
    return _edited(Mended(value, {}, {}), _Edits())


def mend(draft: Mended, problems: Iterable[tuple[str, Text]], stand_ins: Mapping[str, Plain]) -> Mended | None:
    """Return ``draft`` without ``problems`` (path, sentence); None if nothing would be left to read."""
    edits, doubtful = _Edits(), set(draft.doubtful)
    for path, problem in problems:
        if problem.code == UNKNOWN_FIELD:
            edits.take_name(draft, path, _meant_field(path, problem))
        elif not edits.take_word(draft, path, problem):
            doubtful.add(draft.place(path))
            if not edits.leave_out(draft, path, problem.code == MISSING_FIELD, stand_ins):
                return None
    guessed = draft.guessed | {draft.place(path) for path in edits.names}
    return replace(_edited(draft, edits), doubtful=frozenset(doubtful), guessed=guessed)


def without_followers(problems: Sequence[tuple[str, Text]]) -> list[tuple[str, Text]]:
    """Return ``problems`` without fields that are missing because they are misspelt."""
    named = {_meant_field(path, problem) for path, problem in problems if problem.code == UNKNOWN_FIELD}
    return [(path, problem) for path, problem in problems if problem.code != MISSING_FIELD or path not in named]


def _meant_field(path: str, problem: Text) -> str | None:
    name = meant(problem)
    return None if name is None else join(_above(path), name)


@dataclass
class _Edits:
    left_out: set[str] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    added: dict[str, Plain] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def take_name(self, draft: Mended, path: str, other: str | None) -> None:
        """Take an unknown field for the ``other`` that was meant, unless that is present too."""
        if other is None or other in draft.parts or other in self.taken:
            self.left_out.add(path)
        else:
            self.names[path] = other
            self.taken.add(other)

    def take_word(self, draft: Mended, path: str, problem: Text) -> bool:
        """Take an unknown word for the one that was meant; False if none was, or if it isn't a separate value."""
        word, found, there = meant(problem), problem.params.get("found"), draft.parts.get(path)
        if isinstance(there, dict):
            path = next((join(path, key) for key, inner in there.items() if inner == found), path)
        if word is None or draft.parts.get(path) != found:
            return False
        self.words[path] = word
        return True

    def leave_out(self, draft: Mended, path: str, missing: bool, stand_ins: Mapping[str, Plain]) -> bool:
        """Leave out the value at ``path``, or the part that lacks it; False if that is the whole document."""
        out = path if path in stand_ins else nearest_above(_above(path) if missing else path, draft.parts)
        self.left_out.add(out)
        if out in stand_ins:
            self.added[out] = stand_ins[out]
        return bool(out)


def join(path: str, name: str) -> str:
    """Return the path of the field ``name`` in the value at ``path``."""
    return f"{path}.{name}" if path else name


def nearest_above(path: str, known: Iterable[str]) -> str:
    """Return ``path`` if it is ``known``, else its nearest known parent."""
    while path and path not in known:
        path = _above(path)
    return path


def _above(path: str) -> str:
    return path[: max(path.rfind("."), path.rfind("["), 0)]


def ways_up(path: str) -> Iterator[str]:
    """Yield ``path`` and all its parents except the root."""
    while path:
        yield path
        path = _above(path)


def _edited(draft: Mended, edits: _Edits) -> Mended:
    places: dict[str, str] = {}
    parts: dict[str, Plain] = {}
    value = _copy(draft.value, ("", ""), edits, places, parts)
    whole = {**value, **edits.added} if isinstance(value, dict) else {}
    return Mended(whole, {now: draft.place(path) for now, path in places.items()}, parts)


def _copy(value: Plain, way: tuple[str, str], edits: _Edits, places: dict[str, str], parts: dict[str, Plain]) -> Plain:
    """Return ``value``, moved between the two paths of ``way``, with the edits below it."""
    path, now = way
    copy: Plain = edits.words.get(path, value) if isinstance(value, str) else value
    if isinstance(value, dict):
        copy = {}
        for key, inner in value.items():
            if (old := join(path, key)) not in edits.left_out:
                new = edits.names.get(old, old)[len(path) :].lstrip(".")
                copy[new] = _copy(inner, (old, join(now, new)), edits, places, parts)
    elif isinstance(value, list):
        left = [(f"{path}[{index}]", inner) for index, inner in enumerate(value)]
        left = [(old, inner) for old, inner in left if old not in edits.left_out]
        copy = [_copy(inner, (old, f"{now}[{at}]"), edits, places, parts) for at, (old, inner) in enumerate(left)]
    places[now], parts[now] = path, copy
    return copy
