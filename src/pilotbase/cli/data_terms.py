"""``pilotbase data``: on which terms a dataset opens, agreements on it, what was used; in this home, or on a hub."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.framework.declared import call, calls
from pilotbase.cli.framework.driving import build_request, is_remote, named, open_base, remote, where
from pilotbase.cli.framework.terminal import AsJson, answer, command, each, print_value, say
from pilotbase.cli.hub_records import about, print_record
from pilotbase.documents.errors import InputError
from pilotbase.documents.moments import format_minute
from pilotbase.documents.permissions import Act, Relation
from pilotbase.documents.states import AgreementState, DatasetState
from pilotbase.documents.subjects import agreement_subject, holder_of, subject_written
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Opening
from pilotbase.operations import datasets

if TYPE_CHECKING:
    from pilotbase.documents.dataset import Dataset
    from pilotbase.documents.record import Record
    from pilotbase.documents.terms import Use


@command
def terms(  # noqa: PLR0913 - each is an option
    level: Opening,
    dataset: str,
    purpose: list[str] | None = None,
    recipient: list[str] | None = None,
    until: str | None = None,
    uses: Annotated[int | None, typer.Option(min=1)] = None,
    rows: Annotated[int | None, typer.Option(min=1)] = None,
    cell_size: Annotated[int, typer.Option(min=1)] = 10,
    epsilon: Annotated[int, typer.Option(min=0)] = 0,
    consent: bool = False,
    marked: bool = False,
) -> None:
    """Write the terms of one of the three levels of opening, as the usageInfo of a dataset's description."""
    from pilotbase.data.terms.templates import OfferLimits, offer_for
    from pilotbase.documents.terms import Purpose

    subject = subject_written("dataset", dataset)
    limits = OfferLimits(
        purposes=tuple(purpose or [Purpose.VERIFICATION]),
        recipients=tuple(recipient or ()),
        until=_midnight(until),
        uses=uses,
        rows=rows,
        cell_size=cell_size,
        epsilon=epsilon,
        consent=consent,
        marked=marked,
    )
    print_value(offer_for(level, holder_of(subject), subject, limits))


@remote
def publish(description: Path, as_json: AsJson = False) -> None:
    """Publish a dataset, or a later version of it, on the terms in its description."""
    from pilotbase.data.bridges.reading import load_description
    from pilotbase.data.commitments import publishable, salt_file
    from pilotbase.operations import records

    described: Dataset = load_description(description).description.require()
    dataset = publishable(described, description)
    if dataset is not described:
        say(text("data.committed", file=salt_file(description)), err=True)
    if not is_remote():
        open_base(create=True)
    saving = records.SAVE["dataset"]
    owner = calls(dataset.owner.organisation)
    record = owner.call(saving, build_request(saving.takes, **where(dataset.subject), sent=dataset))
    if record.state == DatasetState.DRAFT:
        record = _take(dataset.subject, Act.DATASET_PUBLISH)
    print_record(record, as_json)


@remote
def withdraw(dataset: str, note: str = "", as_json: AsJson = False) -> None:
    """Withdraw a dataset: nobody can read it any more, whatever was agreed."""
    print_record(_take(subject_written("dataset", dataset), Act.DATASET_WITHDRAW, note), as_json)


@remote
def offer(
    dataset: str,
    organisation: str,
    purpose: list[str] | None = None,
    begins: str | None = None,
    ends: str | None = None,
    as_json: AsJson = False,
) -> None:
    """Offer an organisation an agreement on the dataset's published terms; it is in force once they agree."""
    subject = subject_written("dataset", dataset)
    _make(subject, (organisation, holder_of(subject)), purpose, (begins, ends), as_json)


@remote
def take(
    dataset: str,
    organisation: str,
    purpose: list[str] | None = None,
    begins: str | None = None,
    ends: str | None = None,
    as_json: AsJson = False,
) -> None:
    """Accept a dataset's public offer, in force at once; after a revocation, the owner has to agree first."""
    _make(subject_written("dataset", dataset), (organisation, organisation), purpose, (begins, ends), as_json)


@remote
def agree(agreement: str, note: str = "", as_json: AsJson = False) -> None:
    """Agree to an offer, or to a request made after a revocation."""
    subject = agreement_subject(agreement)
    asked_of_owner = _record(subject).state == AgreementState.ASKED
    act = Act.AGREEMENT_GRANT if asked_of_owner else Act.AGREEMENT_AGREE
    print_record(_take(subject, act, note), as_json)


@remote
def revoke(agreement: str, may_return: bool = False, note: str = "", as_json: AsJson = False) -> None:
    """Revoke an agreement on your dataset, or decline a request. The next read is refused."""
    act = Act.AGREEMENT_RELEASE if may_return else Act.AGREEMENT_REVOKE
    print_record(_take(agreement_subject(agreement), act, note), as_json)


@remote
def end(agreement: str, note: str = "", as_json: AsJson = False) -> None:
    """End an agreement of your organisation, or decline an offer."""
    print_record(_take(agreement_subject(agreement), Act.AGREEMENT_END, note), as_json)


@remote
def uses(about: str, as_json: AsJson = False) -> None:
    """List the uses of a dataset: who, for what, how often. Owner and operator see all uses, others their own."""
    found = call(datasets.USES, **named(about)) if "/" in about else call(datasets.AGREEMENT_USES, name=about)
    answer(found, as_json, each(_print_use, text("terms.no_uses")))


def _make(
    subject: str,
    parties: tuple[str, str],
    purposes: list[str] | None,
    days: tuple[str | None, str | None],
    as_json: bool,
) -> None:
    """Make an agreement; ``parties``: whom it is for, and who makes it."""
    from pilotbase.documents.agreement import Agreement
    from pilotbase.documents.terms import Purpose
    from pilotbase.operations.operation import With
    from pilotbase.operations.steps import MAKE_AGREEMENT

    assignee, by = parties
    dataset = description_of(subject)
    if dataset.usage is None:
        raise InputError("terms.no_offer", dataset=subject)
    said = {
        "dataset": subject,
        "dataset_version": dataset.digest(),
        "version": dataset.version,
        "assigner": holder_of(subject),
        "assignee": assignee,
        "offer": dataset.usage,
        "purposes": purposes or [Purpose.VERIFICATION.value],
    }
    chosen = {name: day for name, day in zip(("begins", "ends"), days, strict=True) if day is not None}
    wanted = With[Agreement](sent=build_request(Agreement, **said, **chosen))
    print_record(calls(by).call(MAKE_AGREEMENT, wanted), as_json)


def description_of(subject: str) -> Dataset:
    """Return the newest description of a dataset, of the hub that was named, else of this home."""
    from pilotbase.operations import records

    found: Dataset = about(records.CONTENT, subject)
    return found


def _record(subject: str) -> Record:
    from pilotbase.operations import records

    return about(records.STANDS, subject)


def _take(subject: str, act: Act, note: str = "") -> Record:
    """Take a step: on a hub as the token's owner, in this home as the organisation responsible for it."""
    from pilotbase.operations.steps import STEPS

    wanted = build_request(STEPS[act].takes, **where(subject), brought={"note": note})
    return calls("" if is_remote() else _whose(_record(subject), act)).call(STEPS[act], wanted)


def _whose(record: Record, act: Act) -> str:
    of_owner = any(grant.relation is Relation.OWNER for grant in act.grants)
    return (record.demand_owner if of_owner else record.supplier) or ""


def _midnight(day: str | None) -> datetime | None:
    try:
        return None if day is None else datetime.fromisoformat(day).replace(tzinfo=UTC)
    except ValueError:
        raise InputError("input.no_such_day", found=day) from None


def _print_use(use: Use) -> None:
    said = {"action": use.action, "purpose": use.purpose, "channel": use.channel, "ground": use.ground}
    spent = {"rows": use.rows_so_far, "epsilon": use.epsilon_so_far, "place": use.place}
    say(text("terms.use_line", at=format_minute(use.used_at), organisation=use.organisation, **said, **spent))
