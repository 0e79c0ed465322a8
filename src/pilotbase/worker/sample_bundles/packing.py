"""The sample bundle of a trial: all that regulator and owner need to derive its verdict again, in one archive."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pilotbase.certificate.bounded_json import read_evidence
from pilotbase.certificate.status import IssuedCertificate
from pilotbase.documents.base import Document
from pilotbase.documents.certificate import Acceptance
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.report import Report
from pilotbase.documents.subjects import certificate_head, report_head
from pilotbase.documents.texts import LANGUAGES, Language, Text, make_visible, text
from pilotbase.trial.arena.shelf import shelf_of
from pilotbase.trial.page import render_report
from pilotbase.trial.records import cases_csv, shown_cases
from pilotbase.trial.shown_episodes import recorded_episodes
from pilotbase.vault.envelopes import open_envelope
from pilotbase.vault.opening import OpeningPurpose, ReaderGrant, named_by
from pilotbase.worker.archives import ArchiveEntry, write_archive
from pilotbase.worker.base import Base
from pilotbase.worker.sample_bundles.files import REPORT, SUMS, WORLD_ARCHIVE, pack
from pilotbase.worker.sample_bundles.replaying import Proceedings, excerpt_of
from pilotbase.workspace.checks.proofs import LogExcerpt, proven_head
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.log.entries import TAKEN
from pilotbase.workspace.store import View

_ODD = re.compile(r"[^A-Za-z0-9._-]")
_COMMANDS = (
    ("bundle.readme.sums", f"sha256sum -c {SUMS}"),
    ("bundle.readme.replay", "pilotbase trial replay ."),
    ("bundle.readme.roots", "pilotbase trial replay . --trust ../trust-roots.json --log-key ../log-key.txt"),
    (
        "bundle.readme.revoked",
        "pilotbase certificate verify certificate.json --trust trust-roots.json --revocations revocations.json",
    ),
)


@dataclass(frozen=True)
class Bundle:
    """A packed bundle and its file name."""

    name: str
    archive: bytes


def pack_trial(base: Base, taker: View, plan: Digest, acceptance: Digest | None = None) -> Bundle:
    """Return the sample bundle of the trial under ``plan``; the same trial gives the same bytes.

    Before anything is opened, the log records that ``taker`` takes the bundle, and with it true labels of hidden cases.
    `orders.report_for` decides who may.

    Raises:
        NotFoundError: the plan has no report yet.
        InvalidProofError: store, log and vault disagree.
    """
    of = _proceedings_of(base, plan, acceptance)
    excerpt = excerpt_of(base.lab.store, of)
    records = _open_records(base, taker, of)
    certificate = of.certificate.certificate if of.certificate is not None else None
    episodes = recorded_episodes(of.plan, of.report.digest(), records)
    files = {
        "plan.json": _spell(of.plan),
        "report.json": _spell(of.report),
        REPORT: render_report(of.report, certificate, cases=episodes).encode(),
        "records.parquet": records,
        "cases.csv": cases_csv(shown_cases(records)).encode(),
        "log-excerpt.json": _spell(excerpt),
        "log-checkpoint.txt": excerpt.checkpoint.encode(),
        "trust-roots.json": read_evidence(base.trust_roots),
    }
    if of.certificate is not None:
        files["certificate.json"] = of.certificate.envelope.to_bytes()
    if of.acceptance is not None:
        files["acceptance.json"] = _spell(of.acceptance)
    if of.plan.contract.world is not None:
        files[WORLD_ARCHIVE] = _packed_world(base, of.plan.contract.world)
    names = sorted([*files, "README.md"])
    parts = ("\n".join(_part(of, excerpt, names, one)) for one in LANGUAGES)
    files["README.md"] = ("\n\n---\n\n".join(parts) + "\n").encode()
    name = _ODD.sub("_", f"{of.report.application.name}-{of.report.application.version}-{plan[7:15]}")
    return Bundle(f"{name}.zip", pack(name, files))


def _proceedings_of(base: Base, plan: Digest, acceptance: Digest | None) -> Proceedings:
    """Return the documents of the trial under ``plan``, each confirmed by the log; raises as `pack_trial`."""
    view = base.lab.view
    report = proven_head(base.lab.store, report_head(plan), "trial.reported")
    if report is None:
        raise NotFoundError("bundle.no_report")
    issued = proven_head(base.lab.store, certificate_head(report), "certificate.issued")
    return Proceedings(
        plan=view.load(plan, TrialPlan),
        report=view.load(report, Report),
        certificate=view.load(issued, IssuedCertificate) if issued else None,
        acceptance=view.load(acceptance, Acceptance) if acceptance else None,
    )


def _open_records(base: Base, taker: View, of: Proceedings) -> bytes:
    kept, plan = of.report.records, of.plan.digest()
    if kept is None:
        raise InputError("bundle.no_records")
    with taker.transaction(TAKEN) as change:
        subjects = [plan, of.report.digest(), kept.blob, *named_by(change.connection, plan)]
        change.record(TAKEN, subjects, {"purpose": OpeningPurpose.BUNDLE.value, "rows": of.plan.cases})
    owner = of.plan.scenario.owner.organisation
    return open_envelope(base.lab.vault, owner, plan, kept.blob, ReaderGrant.of_owner(owner, OpeningPurpose.BUNDLE))


def _packed_world(base: Base, digest: Digest) -> bytes:
    kept = shelf_of(base.lab).kept(digest)
    with tempfile.TemporaryDirectory() as scratch:
        archive = Path(scratch, WORLD_ARCHIVE)
        write_archive(archive, (ArchiveEntry(one.path, kept.folder / one.path) for one in kept.tree.files))
        return archive.read_bytes()


def _spell(document: Document) -> bytes:
    return json.dumps(document.to_json_value(), ensure_ascii=False, indent=1).encode()


def _part(of: Proceedings, excerpt: LogExcerpt, names: Sequence[str], language: Language) -> Iterator[str]:
    """Yield the README (Markdown) in one language."""

    def say(code: str, **params: object) -> str:
        return text(code, **params).render(language, make_visible)

    application, scenario = of.report.application, of.plan.scenario
    yield f"# {say('bundle.readme.title')}\n"
    yield say(
        "bundle.readme.about",
        application=f"{application.name} {application.version}",
        supplier=application.supplier.organisation,
        scenario=scenario.name,
        owner=scenario.owner.organisation,
        verdict=of.report.verdict_in_words,
        attempt=of.report.attempt.number if of.report.attempt else "–",
    )
    yield f"\n**{say('bundle.readme.secret')}**\n"
    yield f"- {say('bundle.readme.decision')}: `{of.report.decision}`"
    yield f"- {say('bundle.readme.report')}: `{of.report.digest()}`"
    yield f"- {say('bundle.readme.log_key')}: `{excerpt.key}`\n"
    yield f"## {say('bundle.readme.files')}\n"
    for name in (*names, SUMS):
        yield f"- `{name}`: {what_is(name).render(language)}"
    yield f"\n## {say('bundle.readme.how')}\n"
    yield say("bundle.readme.install") + "\n"
    for code, command in _COMMANDS:
        if of.certificate is not None or "certificate" not in command:
            yield f"{say(code)}\n\n    {command}\n"
    yield say("bundle.readme.shows")


def what_is(name: str) -> Text:
    """Return what a file of a bundle is."""
    return Text(code=f"bundle.file.{(name.rpartition('.')[0] or name).replace('-', '_').lower()}")
