"""All forms by name, and which bytes of a recorded file are its messages."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from itertools import islice
from types import MappingProxyType

from pilotbase.documents.errors import InputError
from pilotbase.documents.exchanges import Exchange, WireForm
from pilotbase.protocols.exchanges.dicom import DICOM
from pilotbase.protocols.exchanges.fhir import FHIR
from pilotbase.protocols.exchanges.opcua import OPCUA
from pilotbase.protocols.exchanges.rest import REST
from pilotbase.protocols.exchanges.rows import FILES, messages_in
from pilotbase.protocols.exchanges.trees import MessageFormat

FORMS: Mapping[WireForm, MessageFormat] = MappingProxyType(
    {
        WireForm.FHIR: FHIR,
        WireForm.DICOM: DICOM,
        WireForm.OPCUA: OPCUA,
        WireForm.REST: REST,
        WireForm.FILES: FILES,
    }
)


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
