"""Exchanges 报文交换: recorded messages of the field, replayed with faults, and the outcome of each."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import pydantic
from pydantic import AfterValidator, StringConstraints

from pilotbase.documents.base import Name, Part, short_form
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.quantities import Seconds
from pilotbase.documents.texts import Text, percent

MOST_MESSAGES = 2_000
_Where = Annotated[str, StringConstraints(min_length=1, max_length=300)]
_Share = Annotated[float, pydantic.Field(ge=0, le=0.5)]


class WireForm(StrEnum):
    """The message format of a field; names: text ``exchange.form.<value>``."""

    FHIR = "fhir"
    DICOM = "dicom"
    OPCUA = "opcua"
    REST = "rest"
    FILES = "files"


NAMELESS = frozenset({WireForm.REST, WireForm.FILES})
"""Forms without a standard identifier for messages."""


class Sending(StrEnum):
    """How a message is sent; names: text ``exchange.sending.<value>``."""

    WHOLE = "whole"
    OVERRIDDEN = "overridden"
    LATE = "late"
    REORDERED = "reordered"
    DUPLICATED = "duplicated"
    MISSING = "missing"
    MALFORMED = "malformed"


class Handled(StrEnum):
    """Outcome of a message; names: text ``exchange.handled.<value>``."""

    ANSWERED = "answered"
    REPEATED = "repeated"
    OVERRIDDEN = "overridden"
    REFUSED = "refused"
    LOST = "lost"


class MessagePath(Part):
    """Where a value is in a message; a plain text means ``at``."""

    at: _Where
    """``fhir``: the code of an Observation, ``system|code``, or a path such as ``Patient.gender``; ``dicom``: a tag or
    a keyword; ``opcua``: a field of the payload; ``rest``: a JSON pointer; ``files``: a column."""
    unit: Annotated[str, StringConstraints(min_length=1, max_length=60)] | None = None
    """The unit that a FHIR Quantity must have; any other is refused, and nothing is converted."""
    words: dict[str, str] = pydantic.Field(default_factory=dict, max_length=200)
    """The field's word → the contract's word; others are unchanged."""


class Faults(Part):
    """The share of messages sent with each fault; no message has two."""

    late: _Share = 0.0
    """Arrives many places late."""
    reordered: _Share = 0.0
    """Arrives after the next message."""
    duplicated: _Share = 0.0
    """Arrives twice."""
    missing: _Share = 0.0
    """Lacks one field of the contract."""
    malformed: _Share = 0.0
    """Its bytes are damaged, so that it is no longer a valid message."""
    seed: int = pydantic.Field(default=1, ge=0, le=2**32 - 1)
    """Seed of the faults: the same messages have the same faults at every supplier's and in the trial."""

    @pydantic.model_validator(mode="after")
    def _some_stay_whole(self) -> Faults:
        if sum(self.shares.values()) > 0.8:
            raise InputError("scenario.exchange_faults", found=percent(sum(self.shares.values())))
        return self

    @property
    def shares(self) -> dict[Sending, float]:
        """Return the share of each fault, in the order in which faults are assigned to messages."""
        return {
            Sending.LATE: self.late,
            Sending.REORDERED: self.reordered,
            Sending.DUPLICATED: self.duplicated,
            Sending.MISSING: self.missing,
            Sending.MALFORMED: self.malformed,
        }


class Exchange(Part):
    """Recorded messages, each with one case of the contract, and the faults they are replayed with."""

    name: Name
    form: WireForm
    file: _Where
    """In the scenario's folder: one message per line (JSON Lines); ``files``: CSV with a header, a message per row."""
    fields: dict[str, Annotated[MessagePath, short_form("at")]] = pydantic.Field(min_length=1, max_length=5000)
    """Feature of the contract → its place; a feature that is not listed is missing in every message."""
    identifier: _Where | None = None
    """Place of the message identifier; needed for ``rest`` and ``files``."""
    time: _Where | None = None
    """Place of the message's time; as in the form's standard when not set."""
    faults: Faults = Faults.model_construct()
    overridden: int = pydantic.Field(default=2, ge=0, le=50)
    """Number of intact messages that a person decides, regardless of the application's answer."""
    tolerance: float = pydantic.Field(default=1e-6, ge=0, le=1e9)
    """Tolerance for numeric answers; all others must be equal."""
    stop_within: Seconds = pydantic.Field(default=5.0, gt=0, le=600)
    """Maximum time from a person's order until the application has ended."""
    messages: int = pydantic.Field(default=200, ge=2, le=MOST_MESSAGES)
    """Maximum messages, taken from the start of the file."""

    @pydantic.model_validator(mode="after")
    def _is_identified(self) -> Exchange:
        if self.identifier is None and self.form in NAMELESS:
            raise InputError("scenario.exchange_identifier", name=self.name, form=self.form)
        return self


def _names_differ(exchanges: tuple[Exchange, ...]) -> tuple[Exchange, ...]:
    names = [exchange.name for exchange in exchanges]
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise InputError("scenario.exchange_twice", name=double)
    return exchanges


Exchanges = Annotated[tuple[Exchange, ...], pydantic.Field(min_length=1, max_length=20), AfterValidator(_names_differ)]


class MessageOutcome(Part):
    """One message as it was sent, its required outcome, and its actual outcome."""

    place: int = pydantic.Field(ge=0)
    """Its number in the record, from 0."""
    sending: Sending
    must: Handled
    handled: Handled
    expected: str | None = None
    """The answer that must be sent; None: an abstention, or any answer."""
    bound: bool = True
    """Whether `expected` is binding: for a message that lacks a field, the right answer is unknown."""
    answer: str | None = None
    """What was sent: a short answer as written, a long one by its digest; None: an abstention, or nothing."""
    reason: Text | None = None
    """Why it was refused or lost."""
    behind: bool = False
    """A message made later had arrived before it."""


class Stopped(Part):
    """Result of a person's order to stop, given during a call to the application."""

    seconds: float | None = None
    """Time from the order until the box had ended; None: it continued."""
    answers: int = 0
    """Answers that still arrived in that time; none arrived afterwards."""

    def coarse(self) -> Stopped:
        """Return it with one digit, and without the number of answers."""
        seconds = None if self.seconds is None else float(f"{self.seconds:.1g}")
        return Stopped(seconds=seconds, answers=min(self.answers, 1))


class ExchangeRun(Part):
    """Outcome of every message of an exchange, in the order of sending."""

    exchange: Exchange
    numbers: bool = False
    """Whether answers are numbers, which may differ by the exchange's tolerance."""
    outcomes: tuple[MessageOutcome, ...] = pydantic.Field(max_length=2 * MOST_MESSAGES)
    restarts: int = 0
    """Number of restarts after the application ended on a message."""
    stopped: Stopped | None = None
    """None: it could not be started for the stop test."""


class SendingFigures(Part):
    """Messages sent in one way: how many, and how many had the required outcome."""

    sending: Sending
    sent: int
    kept: int
    why: Text | None = None
    """Outcome of the first that was not handled as required."""

    @property
    def all_kept(self) -> bool:
        """Return whether all had the required outcome."""
        return self.kept == self.sent

    def coarse(self) -> SendingFigures:
        """Return them without figures whose digits the application could have chosen."""
        return self.model_copy(update={"kept": coarse_kept(self.kept, self.sent), "why": None})


def coarse_kept(kept: int, sent: int) -> int:
    """Return ``kept`` if all were kept, else rounded down to one digit: fewer are never shown as all."""
    unit = 10 ** (len(str(kept)) - 1)
    return kept if kept == sent else kept // unit * unit


class ExchangeFigures(Part):
    """An exchange as shown in a report."""

    name: Name
    form: WireForm
    sendings: tuple[SendingFigures, ...]
    behind: int
    restarts: int
    stopped: Stopped | None = None
    stop_within: float
    record: Digest | None = None
    """Digest of the outcomes of all messages (`ExchangeRun`); not in the supplier's view."""

    @property
    def stop_holds(self) -> bool:
        """Return whether the application ended in time."""
        return (
            self.stopped is not None and self.stopped.seconds is not None and (self.stopped.seconds <= self.stop_within)
        )

    def coarse(self) -> ExchangeFigures:
        """Return what a supplier sees in a trial; its own `conform` run shows everything."""
        stopped = self.stopped and self.stopped.coarse()
        sendings = tuple(counted.coarse() for counted in self.sendings)
        started = {"restarts": min(self.restarts, 1), "stopped": stopped}
        return self.model_copy(update={**started, "sendings": sendings, "record": None})
