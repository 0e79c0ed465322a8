"""One message: what identifies it, when it was made, and the cells of the contract that are in it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from pilotbase.documents.contract import Contract, DataType, Field
from pilotbase.documents.errors import InputError
from pilotbase.documents.exchanges import Exchange, MessagePath, WireForm
from pilotbase.documents.observation import Scalar
from pilotbase.protocols.exchanges.medical import DICOM, FHIR
from pilotbase.protocols.exchanges.opcua import OPCUA
from pilotbase.protocols.exchanges.trees import FILES, REST, MessageFormat, Tree, messages_in, only_value
from pilotbase.protocols.strict_json import WireError

_NUMBER = re.compile(r"^[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,3})?$")
_TRUTHS = {"true": True, "false": False, "1": True, "0": False}
_NUMBERS = frozenset({DataType.FLOAT, DataType.INTEGER})
_LONGEST_IDENTIFIER = 300
FORMS: Mapping[WireForm, MessageFormat] = {
    WireForm.FHIR: FHIR,
    WireForm.DICOM: DICOM,
    WireForm.OPCUA: OPCUA,
    WireForm.REST: REST,
    WireForm.FILES: FILES,
}


@dataclass(frozen=True)
class ParsedMessage:
    """A message that could be read."""

    identifier: str
    time: datetime | None
    cells: Mapping[str, Scalar]
    """Every feature of the contract; None if the message has no value for it."""


def read_message(exchange: Exchange, contract: Contract, body: bytes) -> ParsedMessage:
    """Parse a message of the exchange; `CaseReader` checks whether it conforms to the contract.

    Raises:
        WireError: it isn't a message of its form, it has no identifier, or a value can't be read.
    """
    form = FORMS[exchange.form]
    tree = form.read(body)
    cells = {field.name: _cell(form, field, exchange, tree) for field in contract.features}
    return ParsedMessage(_identifier(form, exchange, tree), _time(form, exchange, tree), cells)


def _identifier(form: MessageFormat, exchange: Exchange, tree: Tree) -> str:
    place = exchange.identifier
    found = form.identifier(tree) if place is None else only_value(form, tree, MessagePath(at=place))
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    if not isinstance(found, str) or not 0 < len(found) <= _LONGEST_IDENTIFIER:
        raise WireError("exchange.no_identifier")
    return found


def _time(form: MessageFormat, exchange: Exchange, tree: Tree) -> datetime | None:
    place = exchange.time
    found = form.time(tree) if place is None else only_value(form, tree, MessagePath(at=place))
    if found is None and place is None:
        return None
    try:
        moment = datetime.fromisoformat(str(found))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise WireError("exchange.no_time", found=str(found)[:60]) from None


def _cell(form: MessageFormat, field: Field, exchange: Exchange, tree: Tree) -> Scalar:
    place = exchange.fields.get(field.name)
    if place is None:
        return None
    found = only_value(form, tree, place)
    if isinstance(found, dict | list):
        raise WireError("exchange.wrong_type", place.at, found="…")
    word = place.words.get(str(found)) if isinstance(found, str) else None
    value = found if word is None else word
    if isinstance(value, float) and field.data_type is DataType.INTEGER and value.is_integer():
        return int(value)
    if isinstance(value, str) and (form.spells or word is not None):
        return _read_spelled(field, place, value)
    return value


def _read_spelled(field: Field, place: MessagePath, value: str) -> Scalar:
    """Convert a value written as text to the type in the contract."""
    if field.data_type is DataType.BOOLEAN and value.lower() in _TRUTHS:
        return _TRUTHS[value.lower()]
    if field.data_type not in _NUMBERS:
        return value
    if not _NUMBER.match(value.strip()):
        raise WireError("exchange.wrong_type", place.at, found=value[:40])
    number = float(value)
    if field.data_type is DataType.INTEGER:
        if re.fullmatch(r"[+-]?\d+", value.strip()):
            return int(value)
        return int(number) if number.is_integer() else number
    return number


def split_messages(exchange: Exchange, content: bytes) -> tuple[bytes, ...]:
    """Return the first messages of a recorded file, at most as many as the exchange takes.

    Raises:
        InputError: it is no UTF-8, no CSV, or holds fewer than two messages.
    """
    try:
        found = tuple(islice(_messages(exchange.form, content), exchange.messages))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError("exchange.no_record", file=exchange.file, reason=str(error)[:200]) from None
    if len(found) < 2:
        raise InputError("exchange.few_messages", file=exchange.file, found=len(found))
    return found


def _messages(form: WireForm, content: bytes) -> Iterator[bytes]:
    if form is WireForm.FILES:
        yield from messages_in(content.decode("utf-8-sig"))
        return
    yield from (line for line in map(bytes.strip, content.split(b"\n")) if line)
