"""Matching of files: a scenario's or an application's own file, against a base or against folders of others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pilotbase.catalogue.applications import MANIFEST
from pilotbase.documents.application import Application
from pilotbase.documents.errors import InputError
from pilotbase.documents.loading import load_document
from pilotbase.documents.matching import Matches, OfferedApplication
from pilotbase.documents.scenario import Scenario
from pilotbase.matching.finding import told
from pilotbase.matching.judging import match, match_back
from pilotbase.matching.pairs import Need, Proven, need_of
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
    return _offered(_file(path, MANIFEST), {})


def match_among(
    asked: Scenario | OfferedApplication, among: Iterable[Path], proofs: Sequence[Proven], by: Comparer | None = None
) -> Matches:
    """Return what of the files below ``among`` may fit; ``proofs`` are certificates that hold.

    Raises:
        InputError: a file there is no scenario or application, or there are more than `MOST_FILES`.
    """
    scenarios = {one.name: one for one in (load_document(Scenario, file) for file in _below(among, SCENARIO_FILE))}
    subject, comparer = asked_of(asked), by or CharacterComparer()
    if isinstance(subject, Need):
        offered = [_offered(file, scenarios) for file in _below(among, MANIFEST)]
        offers = [offer for offer in map(asked_of, offered) if not isinstance(offer, Need)]
        judged = match(subject, offers, proofs, comparer)
    else:
        judged = match_back(subject, [need_of(one) for one in scenarios.values()], proofs, comparer)
    return told(subject, judged, len(judged), comparer)


def _offered(manifest: Path, scenarios: dict[str, Scenario]) -> OfferedApplication:
    application = load_document(Application, manifest)
    made_for = scenarios.get(application.scenario or "") or _own_scenario(manifest, application.scenario)
    return OfferedApplication(application=application, made_for=made_for)


def _own_scenario(manifest: Path, name: str | None) -> Scenario | None:
    """Return the scenario of that name in a folder above, where applications lie beside it."""
    for folder in manifest.resolve().parents[1 : _ABOVE + 1]:
        file = folder / SCENARIO_FILE
        if name is not None and file.is_file():
            found = load_document(Scenario, file)
            return found if found.name == name else None
    return None


def _below(folders: Iterable[Path], name: str) -> Iterator[Path]:
    found = sorted({file for folder in folders for file in folder.rglob(name)})
    if len(found) > MOST_FILES:
        raise InputError("match.too_many_files", found=len(found), allowed=MOST_FILES)
    yield from found


def _file(path: Path, name: str) -> Path:
    return path / name if path.is_dir() else path
