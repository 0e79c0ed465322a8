"""Everything that is wrong with what the other side sent, told at once, each by the place where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pilotbase.documents.errors import InvalidProofError, PilotbaseError, RefusedError
from pilotbase.documents.texts import Text, text


class Problems:
    """The problems that were found so far."""

    def __init__(self) -> None:
        self._found: list[Text] = []

    def add(self, place: str, problem: Text) -> None:
        """Note what is wrong at ``place``."""
        self._found.append(text("site.at", place=place, problem=problem))

    def require(self, holds: bool, place: str, code: str, **params: object) -> None:
        """Note the problem ``code`` unless it ``holds``."""
        if not holds:
            self.add(place, text(code, **params))

    @contextmanager
    def about(self, place: str) -> Iterator[None]:
        """Note what the block raises of ours."""
        try:
            yield
        except PilotbaseError as error:
            self.add(place, error.text)

    def refuse(self, file: Path) -> None:
        """Raise `RefusedError` with every problem: what was asked for is not done here."""
        if self._found:
            raise RefusedError("site.pack_refused", file=file, problems=self._joined())

    def disprove(self, file: Path) -> None:
        """Raise `InvalidProofError` with every problem: what was said does not hold."""
        if self._found:
            raise InvalidProofError("site.report_refused", file=file, problems=self._joined())

    def _joined(self) -> Text:
        whole = self._found[-1]
        for problem in reversed(self._found[:-1]):
            whole = text("site.then", first=problem, second=whole)
        return whole
