"""Advisories on libraries: which versions, certificates, services and scenarios one meets, and who is told.

An advisory is read from a file (OSV, or CSAF 2.0): the base asks no service. That a component is there does not say
that its fault can be reached, so the statement for others (OpenVEX) says *under investigation*.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import unquote

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from pilotbase.catalogue.records import both_languages
from pilotbase.certificate.status import CertificateStatus, issued_certificates, revocations_of, standing_of
from pilotbase.documents.api.trials import (
    AdvisoryConcern,
    AdvisoryKept,
    AdvisoryMet,
    MetCertificate,
    MetScenario,
    MetService,
    MetVersion,
)
from pilotbase.documents.base import Document, Moment
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import digest_bytes, hex_of
from pilotbase.documents.moments import format_for_machines
from pilotbase.documents.notice import Address, NoticeBody, NoticeKind
from pilotbase.documents.subjects import holder_of, name_of, service_subject
from pilotbase.documents.texts import text
from pilotbase.notices.rows import NoticeDraft
from pilotbase.worker.components import BuiltVersion, Component, serving_digests
from pilotbase.workspace.actors import parties
from pilotbase.workspace.listings import find_listing
from pilotbase.workspace.store import Change, View

_OPENVEX = "https://openvex.dev/ns/v0.2.0"
Holds = Callable[[Version], bool]


class KeptAdvisory(Document):
    """An advisory that was kept, and who was told of it."""

    document: Literal["kept-advisory/1"] = "kept-advisory/1"
    advisory: str
    sent: str
    """As its source publishes it."""
    at: Moment
    concerns: tuple[AdvisoryConcern, ...]


@dataclass(frozen=True)
class Advisory:
    """A warning about versions of libraries."""

    identity: str
    touches: Mapping[str, tuple[Holds, ...]]
    """Library → what holds of an affected version; one of them suffices."""


def warned(view: View, built: Sequence[BuiltVersion]) -> dict[Component, list[str]]:
    """Return component → the kept advisories that meet it."""
    found = defaultdict[Component, list[str]](list)
    for kept in _newest(view):
        for component in {component for _, component in meet(built, read_advisory(kept.sent.encode()))}:
            found[component].append(kept.advisory)
    return found


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
    """Return what an advisory meets, from versions to scenarios, whom it concerns, and the statement for others."""
    now, listed = view.store.clock(), revocations_of(view)
    met = meet(built, advisory)
    digests = {one.application.folder for one, _ in met}
    known = {component.name for one in built for component in one.components or ()}
    held = [
        (one, standing_of(one, listed, now).status)
        for one in issued_certificates(view)
        if one.application.digest in digests
    ]
    serving = [named for named, behind in serving_digests(view) if behind & digests]
    services = [MetService(service=name, owner=owner) for name, owner in serving]
    scenarios = sorted({one.scenario.subject for one, status in held if _stands(one, status)})
    kept = view.load_head(_head(advisory.identity), KeptAdvisory)
    return AdvisoryMet(
        advisory=advisory.identity,
        versions=[
            MetVersion(application=one.label, component=component.name, version=component.version)
            for one, component in met
        ],
        certificates=[
            MetCertificate(
                serial=one.serial,
                application=f"{one.application.supplier.organisation}/{one.application.name} {one.application.version}",
                status=status.value,
            )
            for one, status in held
        ],
        services=services,
        scenarios=[MetScenario(scenario=one, owner=holder_of(one)) for one in scenarios],
        concerns=_concerns(met, services, scenarios),
        told_at=kept.at if kept is not None else None,
        unknown=sorted(advisory.touches.keys() - known),
        unread=sum(one.components is None for one in built),
        openvex=_statement(met, advisory, format_for_machines(now)),
    )


def _stands(certificate: Certificate, status: CertificateStatus) -> bool:
    return certificate.accepts and status in (CertificateStatus.VALID, CertificateStatus.SUSPENDED)


def _concerns(
    met: Sequence[tuple[BuiltVersion, Component]], services: Sequence[MetService], scenarios: Sequence[str]
) -> list[AdvisoryConcern]:
    """Return each organisation once, with what of its own is nearest to use: a service, a scenario, a version."""
    subjects = [service_subject(one.service) for one in services]
    owners = [one.owner for one in services]
    about: dict[str, str] = {}
    for owner, subject in (
        *zip(owners, subjects, strict=True),
        *((holder_of(one), one) for one in scenarios),
        *((holder_of(one.application.application.subject), one.application.application.subject) for one, _ in met),
    ):
        about.setdefault(owner, subject)
    named = ", ".join(sorted({f"{component.name} {component.version}" for _, component in met}))
    return [AdvisoryConcern(organisation=owner, about=subject, components=named) for owner, subject in about.items()]


def tell(view: View, built: Sequence[BuiltVersion], sent: bytes) -> AdvisoryMet:
    """Keep an advisory, so that those whom it concerns are told, each once; return what it meets.

    Sent again, it tells those whom it concerns since. One that meets nothing is kept as well: the inventory names it
    as soon as something is built of what it warns of.

    Raises:
        RefusedError: the actor is not the operator.
        InputError: as `read_advisory`.
    """
    advisory = read_advisory(sent)
    found = answer(view, built, advisory)
    with view.transaction("advisory.kept") as change:
        change.require_operator()
        before = view.within(change).load_head(_head(advisory.identity), KeptAdvisory)
        told = {one.organisation: one for one in (*found.concerns, *(before.concerns if before is not None else ()))}
        at = before.at if before is not None else change.now
        words = sent.decode("utf-8", "replace")
        kept = KeptAdvisory(advisory=advisory.identity, sent=words, at=at, concerns=tuple(told.values()))
        change.let_stand(_head(advisory.identity), change.put(kept, parties()))
    return found.model_copy(update={"told_at": at})


def kept_advisories(view: View, built: Sequence[BuiltVersion]) -> list[AdvisoryKept]:
    """Return the advisories that were kept, the newest first, with whom they were told and what they meet now."""
    return [
        AdvisoryKept(
            advisory=kept.advisory,
            at=kept.at,
            told=[one.organisation for one in kept.concerns],
            versions=len({one.application.folder for one, _ in meet(built, read_advisory(kept.sent.encode()))}),
        )
        for kept in _newest(view)
    ]


def of_advisories(view: View, changes: Iterable[Change]) -> Iterator[NoticeDraft]:
    """Yield one notice to each organisation that a kept advisory concerns; kept again, it tells only new ones."""
    for change in changes:
        if (change.event, change.kind) != ("moved", "kept-advisory"):
            continue
        kept = view.load(change.digest, KeptAdvisory)
        for one in kept.concerns:
            listing = find_listing(view, one.about)
            title = listing.title if listing is not None else both_languages(name_of(one.about))
            said = text("component.told", advisory=kept.advisory, components=one.components)
            body = NoticeBody(title=title, record="kept-advisory", said=said)
            address = Address(organisation=one.organisation)
            yield NoticeDraft(NoticeKind.ASKED, one.about, address, body, f"advisory {kept.advisory}")


def _newest(view: View) -> list[KeptAdvisory]:
    """Return the newest version of each kept advisory, the newest first."""
    names = dict.fromkeys(_head(one.advisory) for one in view.every(KeptAdvisory))
    heads = view.named(list(names))
    return sorted((one.load(KeptAdvisory) for one in heads.values()), key=lambda one: one.at, reverse=True)


def _head(advisory: str) -> str:
    return f"advisory/{hex_of(digest_bytes(advisory.encode()))}"


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
