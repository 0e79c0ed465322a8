"""What applications are built of, by their lock files and manifests: who uses it, its licence, whose work it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.parser import HeaderParser
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from packaging.utils import canonicalize_name

from pilotbase.catalogue.folders import kept_folder
from pilotbase.documents.api.trials import ComponentKind, ComponentUse, ReuseLink
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import digest_file, hex_of
from pilotbase.documents.record import ApplicationVersion
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.service import CertifiedRoute
from pilotbase.sandbox.box.locks import parse_lock
from pilotbase.service.registry import services_of
from pilotbase.service.terms import usage_of
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.listings import find_listings
from pilotbase.workspace.store import View

CREDITED_DAYS = 365
"""The cases of so many days are credited to the libraries that answered them."""
_MOST_KEPT = 50_000
_NOTICE_BYTES = 1 << 16
_LONGEST_WORDS = 120


class Component(NamedTuple):
    """A library at a version, a model by the digest of its file, or the data of a scenario."""

    kind: ComponentKind
    name: str
    version: str
    licence: str = ""
    """As its publisher states it; empty: not known."""


class PackageNotice(NamedTuple):
    """What an installed library says of itself; empty: it does not say."""

    licence: str
    maintainers: str


@dataclass(frozen=True)
class BuiltVersion:
    """An application version with its components; None: its folder or its lock file cannot be read."""

    application: ApplicationVersion
    components: tuple[Component, ...] | None

    @property
    def label(self) -> str:
        told = self.application.application
        return f"{told.supplier.organisation}/{told.name} {told.version}"


def built_versions(view: View, applications: Path) -> list[BuiltVersion]:
    """Return every application version of the base with its components; raises as `_require_whole`."""
    _require_whole(view)
    versions = {one.folder: one for one in view.every(ApplicationVersion)}
    data = _data_of(view, {one.scenario for one in versions.values() if one.scenario is not None})
    return [BuiltVersion(one, _components(applications, one, data)) for one in versions.values()]


def _data_of(view: View, scenarios: set[str]) -> dict[str, Component]:
    """Return scenario → its data: the dataset that it names, or its own."""
    listed = find_listings(view, scenarios)
    stored = view.get_all([one.digest for one in listed.values()])
    found = {}
    for subject, listing in listed.items():
        if listing.digest in stored:
            data = stored[listing.digest].load(Scenario).data
            found[subject] = Component("data", data.dataset or subject, "", data.licence or "")
    return found


def _require_whole(view: View) -> None:
    """Raise `NotFoundError` for all but those who see the whole base."""
    if not view.actor.sees_all:
        raise NotFoundError("hub.not_found")


def _components(
    applications: Path, version: ApplicationVersion, data: Mapping[str, Component]
) -> tuple[Component, ...] | None:
    told, of = version.application, data.get(version.scenario or "")
    found = _read(kept_folder(applications, version.folder), told.requirements, told.model, told.licence)
    return found if found is None or of is None else (*found, of)


@lru_cache(maxsize=_MOST_KEPT)
def _read(folder: Path, requirements: str, model: str | None, licence: str) -> tuple[Component, ...] | None:
    """Return the components of a kept folder, which never changes; a model has the licence of its application."""
    try:
        lock = (folder / requirements).read_bytes() if (folder / requirements).is_file() else b""
        found = [Component("library", one.name, one.version) for one in parse_lock(lock, requirements)]
        if model is not None:
            found.append(Component("model", model, hex_of(digest_file(folder / model)), licence))
    except (InputError, OSError):
        return None
    return tuple(found) if folder.is_dir() else None


def uses(
    view: View, built: Sequence[BuiltVersion], environments: Path, warned: Mapping[Component, list[str]]
) -> list[ComponentUse]:
    """Return each component with who uses it, its licence, and the cases credited to it; the most reused first.

    ``environments``: where the base has installed libraries, whose licences and maintainers are read there;
    ``warned``: the advisories that meet a component.
    """
    serving = {digest for _, digests in serving_digests(view) for digest in digests}
    notices, credited = _notices(environments), _credits(view, built)
    users = defaultdict[Component, list[BuiltVersion]](list)
    for one in built:
        for component in one.components or ():
            users[component].append(one)
    found = []
    for component, of in users.items():
        notice = notices.get((component.name, component.version), PackageNotice("", ""))
        found.append(
            ComponentUse(
                kind=component.kind,
                name=component.name,
                version=component.version,
                licence=component.licence or notice.licence,
                maintainers=notice.maintainers,
                applications=len({one.application.application.subject for one in of}),
                suppliers=len({one.application.application.supplier.organisation for one in of}),
                in_service=sum(one.application.folder in serving for one in of),
                credited_cases=credited.get(component, 0),
                advisories=warned.get(component, []),
            )
        )
    return sorted(found, key=lambda one: (-one.suppliers, -one.applications, one.name, one.version))


def _notices(environments: Path) -> dict[tuple[str, str], PackageNotice]:
    """Return (name, version) → what a library says of itself, from every environment of the base."""
    found: dict[tuple[str, str], PackageNotice] = {}
    for tree in environments.glob("*/environments/*/tree"):
        found |= _notices_in(tree)
    return found


@lru_cache(maxsize=_MOST_KEPT)
def _notices_in(tree: Path) -> dict[tuple[str, str], PackageNotice]:
    """Return the notices of one environment, which is named by its content and never changes."""
    found: dict[tuple[str, str], PackageNotice] = {}
    for place in tree.glob("*.dist-info/METADATA"):
        with place.open(encoding="utf-8", errors="replace") as stream:
            said = HeaderParser().parsestr(stream.read(_NOTICE_BYTES))
        held = [one.rpartition("::")[2].strip() for one in said.get_all("Classifier", ()) if one.startswith("License")]
        licence = str(said.get("License-Expression") or ", ".join(held) or said.get("License") or "").strip()
        names = ("Maintainer", "Author", "Maintainer-email", "Author-email")
        people = next((str(said[name]).partition("<")[0] for name in names if said.get(name)), "")
        named = canonicalize_name(str(said.get("Name", ""))), str(said.get("Version", ""))
        found[named] = PackageNotice(licence.split("\n")[0][:_LONGEST_WORDS], people.strip(' ",')[:_LONGEST_WORDS])
    return found


def _credits(view: View, built: Sequence[BuiltVersion]) -> dict[Component, float]:
    """Return library → cases: those that a version has answered in service, in equal parts to its libraries."""
    libraries = {
        one.application.folder: [each for each in one.components or () if each.kind == "library"] for one in built
    }
    found = defaultdict[Component, float](float)
    for service, _ in services_of(view):
        for meter, usage in usage_of(view, service.name, CREDITED_DAYS).items():
            for component in libraries.get(meter.version, ()):
                found[component] += usage.cases / len(libraries[meter.version])
    return found


def reuse(view: View, built: Sequence[BuiltVersion]) -> list[ReuseLink]:
    """Return who uses what: each component of an application, and each service that the application answers for."""
    serving = list(serving_digests(view))
    links = {
        ReuseLink(
            kind=component.kind,
            component=component.name if component.kind != "library" else f"{component.name} {component.version}",
            application=one.application.application.subject,
            service=service,
        )
        for one in built
        for component in one.components or ()
        for service in [name for (name, _), behind in serving if one.application.folder in behind] or [""]
    }
    return sorted(links, key=lambda one: (one.component, one.application, one.service))


def serving_digests(view: View) -> Iterator[tuple[tuple[str, str], set[str]]]:
    """Yield (name, owner) of each service, with the digests of what it answers with."""
    for service, _ in services_of(view):
        behind = {route.application.digest for route in service.routes if isinstance(route, CertifiedRoute)}
        yield (service.name, service.organisation), behind
