"""What applications are built of, by their lock files and manifests; which certificates and services an advisory meets.

An advisory is read from a file (OSV, or CSAF 2.0): the base asks no service. That a component is there does not say
that its fault can be reached, so the statement for others (OpenVEX) says *under investigation*.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from pilotbase.catalogue.folders import kept_folder
from pilotbase.certificate.status import issued_certificates, revocations_of, standing_of
from pilotbase.documents.api.trials import AdvisoryMet, ComponentUse, MetCertificate, MetService, MetVersion
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import digest_file, hex_of
from pilotbase.documents.moments import format_for_machines
from pilotbase.documents.record import ApplicationVersion
from pilotbase.documents.service import CertifiedRoute
from pilotbase.sandbox.box.locks import parse_lock
from pilotbase.service.registry import services_of
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View

_MOST_KEPT = 50_000
_OPENVEX = "https://openvex.dev/ns/v0.2.0"
Holds = Callable[[Version], bool]


class Component(NamedTuple):
    """A library at a version, or a model by the digest of its file."""

    kind: str
    name: str
    version: str


@dataclass(frozen=True)
class BuiltVersion:
    """An application version with its components; None: its folder or its lock file cannot be read."""

    application: ApplicationVersion
    components: tuple[Component, ...] | None

    @property
    def label(self) -> str:
        told = self.application.application
        return f"{told.supplier.organisation}/{told.name} {told.version}"


@dataclass(frozen=True)
class Advisory:
    """A warning about versions of libraries."""

    identity: str
    touches: Mapping[str, tuple[Holds, ...]]
    """Library → what holds of an affected version; one of them suffices."""


def built_versions(view: View, applications: Path) -> list[BuiltVersion]:
    """Return every application version of the base with its components; raises as `_require_whole`."""
    _require_whole(view)
    versions = {one.folder: one for one in view.every(ApplicationVersion)}
    return [BuiltVersion(one, _components(applications, one)) for one in versions.values()]


def _require_whole(view: View) -> None:
    """Raise `NotFoundError` for all but those who see the whole base."""
    if not view.actor.sees_all:
        raise NotFoundError("hub.not_found")


def _components(applications: Path, version: ApplicationVersion) -> tuple[Component, ...] | None:
    told = version.application
    return _read(kept_folder(applications, version.folder), told.requirements, told.model)


@lru_cache(maxsize=_MOST_KEPT)
def _read(folder: Path, requirements: str, model: str | None) -> tuple[Component, ...] | None:
    """Return the components of a kept folder, which never changes."""
    try:
        lock = (folder / requirements).read_bytes() if (folder / requirements).is_file() else b""
        found = [Component("library", one.name, one.version) for one in parse_lock(lock, requirements)]
        if model is not None:
            found.append(Component("model", model, hex_of(digest_file(folder / model))))
    except (InputError, OSError):
        return None
    return tuple(found) if folder.is_dir() else None


def uses(view: View, built: Sequence[BuiltVersion]) -> list[ComponentUse]:
    """Return each component with how many applications, suppliers and services use it, the most reused first."""
    serving = {digest for _, digests in _serving(view) for digest in digests}
    users = defaultdict[Component, list[BuiltVersion]](list)
    for one in built:
        for component in one.components or ():
            users[component].append(one)
    found = [
        ComponentUse(
            kind=component.kind,
            name=component.name,
            version=component.version,
            applications=len({one.application.application.subject for one in of}),
            suppliers=len({one.application.application.supplier.organisation for one in of}),
            in_service=sum(one.application.folder in serving for one in of),
        )
        for component, of in users.items()
    ]
    return sorted(found, key=lambda one: (-one.suppliers, -one.applications, one.name, one.version))


def read_advisory(sent: bytes) -> Advisory:
    """Return the advisory in a file of OSV or CSAF.

    Raises:
        InputError: it is neither, or names no library.
    """
    try:
        told = json.loads(sent)
        if isinstance(told, dict) and "affected" in told:
            identity, named = str(told["id"]), list(_osv(told["affected"]))
        else:
            identity, named = str(told["document"]["tracking"]["id"]), list(_csaf(told))
    except (ValueError, KeyError, TypeError, AttributeError, InvalidVersion):
        raise InputError("component.not_an_advisory") from None
    touches = defaultdict[str, list[Holds]](list)
    for name, holds in named:
        touches[canonicalize_name(name)].append(holds)
    if not touches:
        raise InputError("component.names_no_library")
    return Advisory(identity, {name: tuple(holds) for name, holds in touches.items()})


def _osv(affected: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Holds]]:
    """Yield the Python libraries of an OSV document, with the ranges and the versions that it lists."""
    for one in affected:
        if one["package"]["ecosystem"].partition(":")[0] == "PyPI":
            name, listed = one["package"]["name"], {Version(each) for each in one.get("versions", ())}
            yield name, listed.__contains__
            for ranged in one.get("ranges", ()):
                if ranged["type"] == "ECOSYSTEM":
                    yield name, _between(ranged["events"])


def _between(events: Iterable[Mapping[str, str]]) -> Holds:
    """Return whether a version lies in a range of OSV: from an *introduced* on, to before a *fixed*."""
    moments: list[tuple[Version, int, bool]] = []
    for event in events:
        for kind, version in event.items():
            if kind in ("introduced", "fixed", "last_affected"):
                moments.append((Version(version), int(kind == "last_affected"), kind == "introduced"))
    moments.sort()

    def holds(version: Version) -> bool:
        inside = False
        for at, beyond, begins in moments:
            if version < at or (beyond and version == at):
                break
            inside = begins
        return inside

    return holds


def _csaf(told: Mapping[str, Any]) -> Iterator[tuple[str, Holds]]:
    """Yield the Python libraries that a CSAF document knows to be affected, by package URL and version range."""
    products = dict(_products(told["product_tree"]))
    for vulnerability in told["vulnerabilities"]:
        for identity in vulnerability.get("product_status", {}).get("known_affected", ()):
            if identity in products:
                yield products[identity]


def _products(tree: Mapping[str, Any], ranged: str = "") -> Iterator[tuple[str, tuple[str, Holds]]]:
    for product in (*tree.get("full_product_names", ()), *([tree["product"]] if "product" in tree else ())):
        purl = product.get("product_identification_helper", {}).get("purl", "")
        name, _, version = purl.partition("?")[0].removeprefix("pkg:pypi/").partition("@")
        if purl.startswith("pkg:pypi/") and (version or ranged):
            yield (
                product["product_id"],
                (unquote(name), _between(_events(f"={unquote(version)}" if version else ranged))),
            )
    for branch in tree.get("branches", ()):
        written = branch["name"] if branch.get("category") == "product_version_range" else ""
        yield from _products(branch, written.removeprefix("vers:pypi/"))


def _events(ranged: str) -> Iterator[dict[str, str]]:
    """Yield the events of OSV that a range such as ``>=1.2|<1.4`` (vers) stands for."""
    for place, one in enumerate(ranged.split("|")):
        version = one.lstrip("<>= ")
        sign = one.removesuffix(version).strip()
        if sign.startswith(">") or sign in ("", "="):
            yield {"introduced": version}
        elif not place:
            yield {"introduced": "0"}
        if not sign.startswith(">"):
            yield {"fixed" if sign == "<" else "last_affected": version}


def meet(built: Sequence[BuiltVersion], advisory: Advisory) -> list[tuple[BuiltVersion, Component]]:
    """Return the application versions that have an affected component, with that component."""
    verdicts: dict[Component, bool] = {}
    found = []
    for one in built:
        for component in one.components or ():
            if component.kind == "library" and component.name in advisory.touches:
                if component not in verdicts:
                    version = Version(component.version)
                    verdicts[component] = any(holds(version) for holds in advisory.touches[component.name])
                if verdicts[component]:
                    found.append((one, component))
    return found


def answer(view: View, built: Sequence[BuiltVersion], advisory: Advisory) -> AdvisoryMet:
    """Return the versions, certificates and services that an advisory meets, and the statement for others."""
    now, listed = view.store.clock(), revocations_of(view)
    met = meet(built, advisory)
    digests = {one.application.folder for one, _ in met}
    known = {component.name for one in built for component in one.components or ()}
    certificates = [
        MetCertificate(
            serial=one.serial,
            application=f"{one.application.supplier.organisation}/{one.application.name} {one.application.version}",
            status=standing_of(one, listed, now).status.value,
        )
        for one in issued_certificates(view)
        if one.application.digest in digests
    ]
    services = [MetService(service=name, owner=owner) for (name, owner), behind in _serving(view) if behind & digests]
    return AdvisoryMet(
        advisory=advisory.identity,
        versions=[
            MetVersion(application=one.label, component=component.name, version=component.version)
            for one, component in met
        ],
        certificates=certificates,
        services=services,
        unknown=sorted(advisory.touches.keys() - known),
        unread=sum(one.components is None for one in built),
        openvex=_statement(met, advisory, format_for_machines(now)),
    )


def _serving(view: View) -> Iterator[tuple[tuple[str, str], set[str]]]:
    """Yield (name, owner) of each service, with the digests of what it answers with."""
    for service, _ in services_of(view):
        behind = {route.application.digest for route in service.routes if isinstance(route, CertifiedRoute)}
        yield (service.name, service.organisation), behind


def _statement(met: Sequence[tuple[BuiltVersion, Component]], advisory: Advisory, at: str) -> dict[str, Any]:
    """Return an OpenVEX document on the versions that have an affected component."""
    statements = [
        {
            "vulnerability": {"name": advisory.identity},
            "products": [
                {
                    "@id": f"pkg:generic/{one.label.replace(' ', '@')}",
                    "hashes": {"sha-256": hex_of(one.application.folder)},
                    "subcomponents": [{"@id": f"pkg:pypi/{component.name}@{component.version}"}],
                }
            ],
            "status": "under_investigation",
        }
        for one, component in met
    ]
    identity = f"{_OPENVEX}/docs/{advisory.identity}"
    head = {"@context": _OPENVEX, "@id": identity, "author": "Pilotbase", "timestamp": at, "version": 1}
    return {**head, "statements": statements}
