"""The one error tree: a code, its parameters and a hint; the text is rendered by language at the edge.

    PilotbaseError                exit 1   our own failure, or the machine's (disk full)
    ├── InputError                exit 2   what the user gave is wrong; carries every problem found
    ├── InvalidProofError         exit 3   a signature, a digest or a chain does not hold
    ├── UnknownProofError         exit 4   it is unknown whether a proof still holds (--strict)
    └── RefusedError              exit 5   refused by policy: isolation, terms, quota, attempts
        └── BarredError                    allowed, but not in the current state

The catalogue has two entries per code: ``x.y`` says what and where, ``x.y.hint`` what to do. For an unknown word it is
one question, for fields, measures, columns, settings: "did you mean …?"; further checks assume the word suggested.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from pilotbase.documents.texts import Language, Spell, Text, sentence, text


class Issue(BaseModel):
    """One problem of a document: where it is, what was found, what is allowed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    path: str
    problem: Text
    line: int | None = None
    hint: Text | None = None
    """What to do, if the problem alone doesn't say it."""

    def render(self, language: Language = "en", spell: Spell = str) -> str:
        place = f"{spell(self.file)}:{self.line}" if self.line else spell(self.file)
        field = f" {spell(self.path)}" if self.path else ""
        return f"{place}{field}: {self.say(language, spell)}"

    def say(self, language: Language = "en", spell: Spell = str) -> str:
        """Return what was found and what to do, without the place."""
        if self.hint is None:
            return self.problem.render(language, spell)
        between = " " if language == "en" else ""
        return sentence(self.problem, language, spell) + between + sentence(self.hint, language, spell)


class PilotbaseError(Exception):
    """Root of everything Pilotbase raises on purpose."""

    exit_code: ClassVar[int] = 1

    def __init__(self, code: str, /, **params: object) -> None:
        super().__init__(code)
        self.text = text(code, **params)

    @property
    def code(self) -> str:
        return self.text.code

    @property
    def hint(self) -> Text:
        return self.text.hint

    def render(self, language: Language = "en", spell: Spell = str) -> str:
        """Return what happened and what to do, in ``language``; ``spell`` as in `Text.render`."""
        return f"{sentence(self.text, language, spell)}\n{sentence(self.hint, language, spell)}"

    def __str__(self) -> str:
        try:
            return self.text.render("en")
        except KeyError:
            return f"{self.code} {dict(self.text.params)}"


class InputError(PilotbaseError, ValueError):
    """What the user gave is wrong: a document, an argument, a file. A `ValueError`, so validators may raise it."""

    exit_code = 2

    def __init__(self, code: str, /, issues: Iterable[Issue] = (), **params: object) -> None:
        super().__init__(code, **params)
        self.issues = tuple(issues)

    @classmethod
    def from_issues(cls, file: str, issues: Iterable[Issue]) -> InputError:
        """Return one error that carries all problems of ``file`` at once."""
        found = tuple(issues)
        return cls("input.problems", issues=found, file=file, count=len(found))

    @classmethod
    def at(cls, file: str, path: str, problem: Text, line: int | None = None) -> InputError:
        """Return the error for one problem of ``file``, at one place."""
        return cls.from_issues(file, [Issue(file=file, path=path, problem=problem, line=line)])

    def render(self, language: Language = "en", spell: Spell = str) -> str:
        said = self.text.render(language, spell) if self.issues else sentence(self.text, language, spell)
        lines = [said, *(f"  {issue.render(language, spell)}" for issue in self.issues)]
        return "\n".join([*lines, sentence(self.hint, language, spell)])


class InvalidProofError(PilotbaseError):
    """A signature, digest or chain does not hold."""

    exit_code = 3


class UnknownProofError(PilotbaseError):
    """Nothing contradicts the proof, but it is unknown whether it still holds."""

    exit_code = 4


class RefusedError(PilotbaseError):
    """Refused by policy: isolation level, terms, approvals, attempts, quota."""

    exit_code = 5


class BarredError(RefusedError):
    """The caller may do it, but not now: the state, or an unmet need of the step, prevents it."""


class Findings:
    """The problems found so far."""

    def __init__(self) -> None:
        self.issues: list[Issue] = []

    @contextmanager
    def about(self, path: str) -> Iterator[None]:
        """Collect what the block raises: each problem at its own field, or at ``path`` if it names none."""
        try:
            yield
        except InputError as error:
            self.issues += error.issues or [Issue(file="", path=path, problem=error.text, hint=error.hint)]

    def require_none(self, file: str) -> None:
        """Raise `InputError` with every problem of ``file``, if there is any."""
        if self.issues:
            named = (one if one.file else one.model_copy(update={"file": file}) for one in self.issues)
            raise InputError.from_issues(file, named)


MOST_LISTED = 12
"""Maximum known words to list; if there are more, only the nearest is named."""
_MOST_COMPARED = 300
_LONGEST = 64


def nearest(found: str, known: Iterable[str]) -> str | None:
    """Return the word of ``known`` most similar to ``found``, ignoring case; None if none is similar.

    A prefix common to all, such as ``PILOTBASE_HUB_``, doesn't count as similarity.
    """
    words = [word for word in list(known)[:_MOST_COMPARED] if len(word) <= _LONGEST]
    if not words or len(found) > _LONGEST:
        return None
    start = _common_start([found, *words])
    rests = {word[start:].casefold(): word for word in words}
    close = difflib.get_close_matches(found[start:].casefold(), rests, n=1)
    return rests[close[0]] if close else None


def _common_start(words: list[str]) -> int:
    first, last = min(words), max(words)
    shared = next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    return max(first.rfind(end, 0, shared) for end in "_:.@") + 1


def offer(found: str, known: Iterable[str]) -> Text:
    """Return the part of a sentence with the words allowed instead of ``found``, and the one possibly meant."""
    words = [str(word) for word in known]
    near, listed = nearest(found, words), ", ".join(words[:MOST_LISTED])
    if near is not None:
        few = len(words) <= MOST_LISTED
        return text("input.offer.of_few", known=listed, nearest=near) if few else text("input.offer.one", nearest=near)
    if len(words) > MOST_LISTED:
        return text("input.offer.first", known=listed, count=len(words))
    return text("input.offer.few", known=listed) if words else text("input.offer.none")


def meant(problem: Text) -> str | None:
    """Return the word that ``problem`` suggests ("did you mean …?"); None if it suggests none."""
    allowed = problem.params.get("allowed")
    near = allowed.params.get("nearest") if isinstance(allowed, Text) else None
    return near if isinstance(near, str) else None
