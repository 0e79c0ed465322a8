"""Matching of files: a scenario's or an application's own file, against a base or against folders of others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pilotbase.catalogue.applications import MANIFEST
from pilotbase.documents.application import Application
from pilotbase.documents.errors import InputError
from pilotbase.documents.loading import AnyDocument, load_document
from pilotbase.documents.matching import Matches, OfferedApplication
from pilotbase.documents.scenario import Scenario
from pilotbase.matching.finding import matches_about
from pilotbase.matching.judging import match, match_back
from pilotbase.matching.pairs import Need, ProvenPair, need_of
from pilotbase.matching.words import CharacterComparer, Comparer
from pilotbase.trial.scenario_folder import MANIFEST as SCENARIO_FILE
from pilotbase.worker.matching.certified import asked_of

MOST_FILES = 500
_ABOVE = 3
"""So many folders above an application its own scenario is looked for."""


def read_asked(path: Path, side: str) -> Scenario | OfferedApplication:
    """Return what a file or folder describes; raises `InputError` with every problem of it."""
    if side == "scenario":
        return load_document(Scenario, _file(path, SCENARIO_FILE))
    manifest = _file(path, MANIFEST)
    application, beside = load_document(Application, manifest), _scenario_above(manifest)
    own = load_document(Scenario, beside) if application.scenario and beside else None
    return _offered(application, own)


@dataclass(frozen=True)
class Among:
    """What was found among files, and what is wrong with those that could not be looked at."""

    matches: Matches
    unreadable: tuple[InputError, ...] = ()


def match_among(
    asked: Scenario | OfferedApplication,
    among: Iterable[Path],
    proofs: Sequence[ProvenPair],
    by: Comparer | None = None,
) -> Among:
    """Return what of the files below ``among`` may fit; ``proofs`` are certificates that hold.

    Raises:
        InputError: there are more than `MOST_FILES`.
    """
    folders, files = tuple(among), _Files()
    scenarios = {one.name: one for one in files.read_all(Scenario, _below(folders, SCENARIO_FILE))}
    subject, comparer = asked_of(asked), by or CharacterComparer()
    if isinstance(subject, Need):
        offered = [files.offered(file, scenarios) for file in _below(folders, MANIFEST)]
        offers = [offer for offer in (asked_of(one) for one in offered if one) if not isinstance(offer, Need)]
        judged = match(subject, offers, proofs, comparer)
    else:
        judged = match_back(subject, [need_of(one) for one in scenarios.values()], proofs, comparer)
    return Among(matches_about(subject, judged, len(judged), comparer), tuple(files.unreadable.values()))


@dataclass
class _Files:
    """Reads one file after the other; what is wrong with one is kept and stops none of the others."""

    unreadable: dict[Path, InputError] = field(default_factory=dict)

    def read_all(self, model: type[AnyDocument], files: Iterable[Path]) -> list[AnyDocument]:
        return [found for file in files if (found := self.read(model, file)) is not None]

    def read(self, model: type[AnyDocument], file: Path) -> AnyDocument | None:
        try:
            return load_document(model, file)
        except InputError as error:
            self.unreadable.setdefault(file.resolve(), error)
            return None

    def offered(self, manifest: Path, scenarios: dict[str, Scenario]) -> OfferedApplication | None:
        application = self.read(Application, manifest)
        if application is None:
            return None
        own, beside = scenarios.get(application.scenario or ""), _scenario_above(manifest)
        if own is None and application.scenario and beside:
            own = self.read(Scenario, beside)
        return _offered(application, own)


def _offered(application: Application, own: Scenario | None) -> OfferedApplication:
    """Return an application with its own scenario, where that is the one which it names."""
    named = own is not None and own.name == application.scenario
    return OfferedApplication(application=application, made_for=own if named else None)


def _scenario_above(manifest: Path) -> Path | None:
    """Return the nearest scenario in a folder above, where applications lie beside it."""
    above = (folder / SCENARIO_FILE for folder in manifest.resolve().parents[1 : _ABOVE + 1])
    return next((file for file in above if file.is_file()), None)


def _below(folders: Iterable[Path], name: str) -> list[Path]:
    found = sorted({file for folder in folders for file in folder.rglob(name)})
    if len(found) > MOST_FILES:
        raise InputError("match.too_many_files", found=len(found), allowed=MOST_FILES)
    return found


def _file(path: Path, name: str) -> Path:
    return path / name if path.is_dir() else path
