"""What goes out for a message: an answer, the same answer again, a person's decision, or a refusal with its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pilotbase.documents.errors import InputError
from pilotbase.documents.exchanges import Exchange, Handled
from pilotbase.documents.observation import Scalar
from pilotbase.documents.texts import Text, text
from pilotbase.protocols.contract_cases import CaseReader, ContractBrokenError
from pilotbase.protocols.exchanges.reading import ParsedMessage, read_message
from pilotbase.protocols.frames import FeatureBatch
from pilotbase.sandbox.box.ends import END_TEXTS, BoxEnded

Ask = Callable[[FeatureBatch], str | None]


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
