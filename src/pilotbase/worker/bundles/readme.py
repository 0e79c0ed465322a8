"""The README of a sample bundle: what it holds and how to derive the verdict again, in every language."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pilotbase.documents.texts import LANGUAGES, Language, Text, text
from pilotbase.documents.visible_text import make_visible
from pilotbase.worker.bundles.course import Proceedings
from pilotbase.worker.bundles.files import SUMS
from pilotbase.workspace.checks.proofs import LogExcerpt

COMMANDS = (
    ("bundle.readme.sums", f"sha256sum -c {SUMS}"),
    ("bundle.readme.replay", "pilotbase trial replay ."),
    ("bundle.readme.roots", "pilotbase trial replay . --trust ../trust-roots.json --log-key ../log-key.txt"),
    (
        "bundle.readme.revoked",
        "pilotbase certificate verify certificate.json --trust trust-roots.json --revocations revocations.json",
    ),
)


def readme(of: Proceedings, excerpt: LogExcerpt, names: Sequence[str]) -> str:
    """Return the README (Markdown), one part a language."""
    return "\n\n---\n\n".join("\n".join(_part(of, excerpt, names, one)) for one in LANGUAGES) + "\n"


def _part(of: Proceedings, excerpt: LogExcerpt, names: Sequence[str], language: Language) -> Iterator[str]:
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
    for code, command in COMMANDS:
        if of.certificate is not None or "certificate" not in command:
            yield f"{say(code)}\n\n    {command}\n"
    yield say("bundle.readme.shows")


def what_is(name: str) -> Text:
    """Return what a file of a bundle is."""
    return Text(code=f"bundle.file.{(name.rpartition('.')[0] or name).replace('-', '_').lower()}")
