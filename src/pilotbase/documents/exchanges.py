"""Exchanges 报文交换: recorded messages of the field, replayed with faults, and what became of each."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import pydantic
from pydantic import AfterValidator, StringConstraints

from pilotbase.documents.base import Name, Part
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.quantities import Seconds
from pilotbase.documents.texts import Text

MOST_MESSAGES = 2_000
_Where = Annotated[str, StringConstraints(min_length=1, max_length=300)]
_Share = Annotated[float, pydantic.Field(ge=0, le=0.5)]


class WireForm(StrEnum):
    """The form in which messages of a field are written; names: text ``exchange.form.<value>``."""

    FHIR = "fhir"
    DICOM = "dicom"
    OPCUA = "opcua"
    REST = "rest"
    FILES = "files"


NAMELESS = frozenset({WireForm.REST, WireForm.FILES})
"""Forms of which no standard says what identifies a message."""


class Sending(StrEnum):
    """How a message is sent; in words: text ``exchange.sending.<value>``."""

    WHOLE = "whole"
    OVERRIDDEN = "overridden"
    LATE = "late"
    REORDERED = "reordered"
    DUPLICATED = "duplicated"
    MISSING = "missing"
    MALFORMED = "malformed"


class Handled(StrEnum):
    """What became of a message; in words: text ``exchange.handled.<value>``."""

    ANSWERED = "answered"
    REPEATED = "repeated"
    OVERRIDDEN = "overridden"
    REFUSED = "refused"
    LOST = "lost"


class MessagePath(Part):
    """Where a value stands in a message; a text alone is ``at``."""

    at: _Where
    """``fhir``: the code of an Observation, ``system|code``, or a path such as ``Patient.gender``; ``dicom``: a tag or
    a keyword; ``opcua``: a field of the payload; ``rest``: a JSON pointer; ``files``: a column."""
    unit: Annotated[str, StringConstraints(min_length=1, max_length=60)] | None = None
    """The unit that a FHIR Quantity must say; another one is refused, none is converted."""
    words: dict[str, str] = pydantic.Field(default_factory=dict, max_length=200)
    """What the field writes → what the contract writes; others stay as they are."""

    @pydantic.model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        return {"at": value} if isinstance(value, str) else value


class Faults(Part):
    """Which share of the messages is sent with which fault; no message has two."""

    late: _Share = 0.0
    """It comes many places after its own."""
    reordered: _Share = 0.0
    """It comes after the next."""
    duplicated: _Share = 0.0
    """It comes again."""
    missing: _Share = 0.0
    """One field of the contract is not in it."""
    malformed: _Share = 0.0
    """Its bytes are damaged, so that it is no message any more."""
    seed: int = pydantic.Field(default=1, ge=0, le=2**32 - 1)
    """What decides which: the same messages with the same faults at every supplier's and in the trial."""

    @pydantic.model_validator(mode="after")
    def _some_stay_whole(self) -> Faults:
        if sum(self.shares.values()) > 0.8:
            raise InputError("scenario.exchange_faults", found=f"{sum(self.shares.values()):.0%}")
        return self

    @property
    def shares(self) -> dict[Sending, float]:
        """Return the share of each fault, those that look for a place before others first."""
        return {
            Sending.LATE: self.late,
            Sending.REORDERED: self.reordered,
            Sending.DUPLICATED: self.duplicated,
            Sending.MISSING: self.missing,
            Sending.MALFORMED: self.malformed,
        }


class Exchange(Part):
    """Recorded messages, each with one case of the contract, and the faults with which they are replayed."""

    name: Name
    form: WireForm
    file: _Where
    """In the scenario's folder: a message a line (JSON Lines); ``files``: CSV with a header, a message a row."""
    fields: dict[str, MessagePath] = pydantic.Field(min_length=1, max_length=5000)
    """Feature of the contract → where it stands; one that is not named is missing in every message."""
    identifier: _Where | None = None
    """Where stands what identifies a message; needed for ``rest`` and ``files``."""
    time: _Where | None = None
    """Where stands when it was made; what the form's standard says when not set."""
    faults: Faults = Faults()
    overridden: int = pydantic.Field(default=2, ge=0, le=50)
    """So many whole messages that a person decides, whatever the application answers."""
    tolerance: float = pydantic.Field(default=1e-6, ge=0, le=1e9)
    """How far answers that are numbers may lie apart; anything else must be the same."""
    stop_within: Seconds = pydantic.Field(default=5.0, gt=0, le=600)
    """How soon after a person's order the application must have ended."""
    messages: int = pydantic.Field(default=200, ge=2, le=MOST_MESSAGES)
    """At most so many of the file, the first ones."""

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
    """One message as it was sent, what had to become of it, and what did."""

    place: int = pydantic.Field(ge=0)
    """Its number in the record, from 0."""
    sending: Sending
    must: Handled
    handled: Handled
    expected: str | None = None
    """The answer that must go out; None: an abstention, or whatever the application says."""
    bound: bool = True
    """Whether `expected` binds: of a message that lacks a field nobody knows the answer."""
    answer: str | None = None
    """What went out: a short answer as it is spelled, a long one by its digest; None: an abstention, or nothing."""
    reason: Text | None = None
    """Why it was refused or lost."""
    behind: bool = False
    """A message that was made after it had come before."""


class Stopped(Part):
    """What became of a person's order to stop, given while the application was being asked."""

    seconds: float | None = None
    """From the order until the box had ended; None: it went on."""
    answers: int = 0
    """Answers that still came in that time; none came after."""

    def coarse(self) -> Stopped:
        """Return it in one digit, and without the number of answers."""
        seconds = None if self.seconds is None else float(f"{self.seconds:.1g}")
        return Stopped(seconds=seconds, answers=min(self.answers, 1))


class ExchangeRun(Part):
    """What became of every message of an exchange, in the order in which they were sent."""

    exchange: Exchange
    numbers: bool = False
    """Whether answers are numbers, which may lie apart by the exchange's tolerance."""
    outcomes: tuple[MessageOutcome, ...] = pydantic.Field(max_length=2 * MOST_MESSAGES)
    restarts: int = 0
    """How often the application had to be started again, because it had ended on a message."""
    stopped: Stopped | None = None
    """None: it could not be started to be stopped."""


class SendingFigures(Part):
    """Messages that were sent in one way: how many, and how many were handled as they must be."""

    sending: Sending
    sent: int
    kept: int
    why: Text | None = None
    """What became of the first that was not."""

    @property
    def all_kept(self) -> bool:
        """Tell whether every one was handled as it must be."""
        return self.kept == self.sent

    def coarse(self) -> SendingFigures:
        """Return them without what the application could have chosen digit by digit."""
        return self.model_copy(update={"kept": coarse_kept(self.kept, self.sent), "why": None})


def coarse_kept(kept: int, sent: int) -> int:
    """Return all of them, or so many in one digit, rounded down: fewer are never shown as all."""
    unit = 10 ** (len(str(kept)) - 1)
    return kept if kept == sent else kept // unit * unit


class ExchangeFigures(Part):
    """An exchange as a report tells it."""

    name: Name
    form: WireForm
    sendings: tuple[SendingFigures, ...]
    behind: int
    restarts: int
    stopped: Stopped | None = None
    stop_within: float
    record: Digest | None = None
    """Digest of what became of every message (`ExchangeRun`); not in the supplier's view."""

    @property
    def stop_holds(self) -> bool:
        """Tell whether the application had ended in time."""
        return (
            self.stopped is not None and self.stopped.seconds is not None and (self.stopped.seconds <= self.stop_within)
        )

    def coarse(self) -> ExchangeFigures:
        """Return what a supplier sees of a trial; its own `conform` tells it everything."""
        stopped = self.stopped and self.stopped.coarse()
        sendings = tuple(counted.coarse() for counted in self.sendings)
        started = {"restarts": min(self.restarts, 1), "stopped": stopped}
        return self.model_copy(update={**started, "sendings": sendings, "record": None})
