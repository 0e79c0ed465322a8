"""The messages of an exchange as the scenario's owner recorded them, and what goes out for each.

Recordings are inside the folder, bounded, each read whole. A message gets an answer, the same answer again, a person's
decision, or a refusal with its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import polars as pl

from pilotbase.data.batches import feature_columns
from pilotbase.data.splits import Split
from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.exchanges import Exchange, Handled
from pilotbase.documents.files import read_bounded
from pilotbase.documents.observation import Scalar
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import Text, text
from pilotbase.protocols.contract_cases import CaseReader, ContractBrokenError
from pilotbase.protocols.exchanges.reading import ParsedMessage, read_message, split_messages
from pilotbase.protocols.frames import FeatureBatch
from pilotbase.sandbox.box.ends import END_TEXTS, BoxEnded
from pilotbase.trial.scenario_folder import MANIFEST

Ask = Callable[[FeatureBatch], str | None]
MAXIMUM_BYTES = 64 << 20
_SHOWN = 10


@dataclass(frozen=True)
class Outgoing:
    """What became of one message."""

    handled: Handled
    answer: str | None = None
    reason: Text | None = None
    behind: bool = False


def as_batch(reader: CaseReader, cells: Mapping[str, Scalar]) -> FeatureBatch:
    """Return one case as the box is asked it; raises `ContractBrokenError`."""
    return reader.read({name: [value] for name, value in cells.items()})


@dataclass
class Pipeline:
    """Processes messages one by one, in the order received.

    An answered message isn't asked again: a sender that repeats it gets the same answer. A person's decision is sent in
    place of the application's answer, also when the application gives none. A refused message leaves the state
    unchanged.
    """

    exchange: Exchange
    reader: CaseReader
    ask: Ask
    """Raises `BoxEnded` where the application gives no answer."""
    decisions: Mapping[str, str | None]
    """Identifier → the person's decision."""
    _out: dict[str, Outgoing] = field(default_factory=dict)
    _newest: datetime | None = None

    def take(self, body: bytes) -> Outgoing:
        """Return what goes out for ``body``."""
        try:
            message = read_message(self.exchange, self.reader.contract, body)
            batch = as_batch(self.reader, message.cells)
        except InputError as error:
            return Outgoing(Handled.REFUSED, reason=why(error))
        behind = self._is_behind(message)
        known = self._out.get(message.identifier)
        if known is not None:
            return Outgoing(Handled.REPEATED, known.answer, behind=behind)
        out = self._asked(batch, behind)
        if message.identifier in self.decisions:
            out = Outgoing(Handled.OVERRIDDEN, self.decisions[message.identifier], behind=behind)
        if out.handled is not Handled.LOST:
            self._out[message.identifier] = out
        return out

    def _asked(self, batch: FeatureBatch, behind: bool) -> Outgoing:
        try:
            return Outgoing(Handled.ANSWERED, self.ask(batch), behind=behind)
        except BoxEnded as ended:
            return Outgoing(Handled.LOST, reason=END_TEXTS[ended.reason], behind=behind)

    def _is_behind(self, message: ParsedMessage) -> bool:
        """Return whether a message created later was received before; a message without a time is never late."""
        if message.time is None:
            return False
        behind = self._newest is not None and message.time < self._newest
        self._newest = self._newest if behind else message.time
        return behind


def why(error: InputError) -> Text:
    """Return in a sentence why a message was refused."""
    if isinstance(error, ContractBrokenError) and error.issues:
        first = error.issues[0]
        return text("exchange.breaks_contract", field=first.path, problem=first.problem)
    return error.text


def keep_to_contract(scenario: Scenario, folder: Path, classes: tuple[str, ...], split: Split) -> Mapping[str, bytes]:
    """Return the file of each exchange; every message is a case of the contract, and none is a hidden case.

    Raises:
        InputError: as `recorded_files`, `check_records` and `refuse_hidden`.
    """
    files = recorded_files(scenario, folder)
    if files:
        lacking = missing_somewhere(scenario, pl.concat([split.public, split.hidden]))
        reader = CaseReader(scenario.contract(classes), frozenset(lacking))
        check_records(scenario, files, reader)
        refuse_hidden(scenario, files, reader, split)
    return files


def missing_somewhere(scenario: Scenario, frame: pl.DataFrame) -> tuple[str, ...]:
    """Return the features that lack a value in some case."""
    return tuple(field.name for field in scenario.feature_fields if frame[field.name].null_count())


def recorded_files(scenario: Scenario, folder: Path) -> Mapping[str, bytes]:
    """Return the file of each exchange by the exchange's name.

    Raises:
        InputError: it is not inside the folder, is missing, or is too large.
    """
    return {exchange.name: _file_of(exchange, folder) for exchange in scenario.trial.exchanges or ()}


def _file_of(exchange: Exchange, folder: Path) -> bytes:
    path = folder / exchange.file
    if not path.resolve().is_relative_to(folder.resolve()):
        raise InputError("trial.no_source", file=exchange.file, folder=folder)
    return read_bounded(path, MAXIMUM_BYTES, exchange.file)


def check_records(scenario: Scenario, files: Mapping[str, bytes], reader: CaseReader) -> None:
    """Check that every recorded message is a case of the contract: later defects are then injected faults.

    Raises:
        InputError: lists the first messages that aren't, and two with the same identifier.
    """
    problems = [
        Issue(file=MANIFEST, path=f"trial.exchanges[{index}].file", problem=problem)
        for index, exchange in enumerate(scenario.trial.exchanges or ())
        for problem in _problems(exchange, files[exchange.name], reader)
    ]
    if problems:
        raise InputError.from_issues(MANIFEST, problems[:_SHOWN])


def refuse_hidden(scenario: Scenario, files: Mapping[str, bytes], reader: CaseReader, split: Split) -> None:
    """Return when no message holds a case that is hidden: a supplier replays them, and knows them by heart.

    Raises:
        InputError: with how many messages of an exchange do.
    """
    if not scenario.trial.exchanges:
        return
    hidden = _rows(reader, split.hidden) - _rows(reader, split.public)
    for exchange in scenario.trial.exchanges:
        found = sum(_row(reader, exchange, body) in hidden for body in split_messages(exchange, files[exchange.name]))
        if found:
            raise InputError("exchange.hidden_cases", exchange=exchange.name, found=found)


def _rows(reader: CaseReader, frame: pl.DataFrame) -> set[tuple[str, ...]]:
    columns = feature_columns(frame, reader.contract, reader.may_miss).values()
    return set(zip(*(map(repr, column.tolist()) for column in columns), strict=True))


def _row(reader: CaseReader, exchange: Exchange, body: bytes) -> tuple[str, ...]:
    batch = as_batch(reader, read_message(exchange, reader.contract, body).cells)
    return tuple(repr(batch.columns[field.name].tolist()[0]) for field in reader.contract.features)


def _problems(exchange: Exchange, content: bytes, reader: CaseReader) -> Iterator[Text]:
    seen: dict[str, int] = {}
    try:
        bodies = split_messages(exchange, content)
    except InputError as error:
        yield error.text
        return
    for number, body in enumerate(bodies, start=1):
        try:
            message = read_message(exchange, reader.contract, body)
            as_batch(reader, message.cells)
        except InputError as error:
            yield text("exchange.recorded_faulty", message=number, reason=why(error))
            continue
        if message.identifier in seen:
            first = seen[message.identifier]
            yield text("exchange.identified_twice", message=number, first=first, identifier=message.identifier)
        seen.setdefault(message.identifier, number)
