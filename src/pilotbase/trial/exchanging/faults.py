"""Which message is sent when, and with which fault: pure, from the exchange's seed, the same everywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pilotbase.documents.exchanges import Exchange, Sending, WireForm
from pilotbase.protocols.exchanges.reading import FORMS
from pilotbase.protocols.exchanges.trees import without

_DEEP = 1_000
"""Lists within lists, in a message that is damaged by them."""
_NEEDS_A_NEXT = frozenset({Sending.LATE, Sending.REORDERED})


@dataclass(frozen=True)
class SentMessage:
    """A message as it is sent."""

    place: int
    """Its number in the record."""
    body: bytes
    sending: Sending
    again: bool = False
    """It was sent before."""
    lacks: str | None = None
    """The feature that was taken out of it."""


def with_faults(exchange: Exchange, bodies: Sequence[bytes]) -> tuple[SentMessage, ...]:
    """Return the messages in the order in which they are sent; every one of ``bodies`` is sent at least once.

    A fault that is asked for is on one message at least, as far as there are any left.
    """
    draw = np.random.Generator(np.random.PCG64(exchange.faults.seed))
    sendings = _drawn(exchange, len(bodies), draw)
    in_time = [place for place in range(len(bodies)) if sendings.get(place) not in _NEEDS_A_NEXT]
    due: list[tuple[float, SentMessage]] = []
    for place, body in enumerate(bodies):
        sending = sendings.get(place, Sending.WHOLE)
        far = int(draw.integers(2, max(3, len(bodies) // 4), endpoint=True))
        sent = _sent(exchange, place, body, sending, draw)
        if sending in _NEEDS_A_NEXT:
            due.append((_behind(in_time, place + (far if sending is Sending.LATE else 1)), sent))
        else:
            due.append((place, sent))
        if sending is Sending.DUPLICATED:
            due.append((place + far + 0.5, SentMessage(place, body, sending, again=True)))
    return tuple(sent for _, sent in sorted(due, key=lambda one: one[0]))


def _behind(in_time: Sequence[int], place: int) -> float:
    """Return when one comes that has to come behind what comes in time at ``place`` or next after it, if any does."""
    return next((one for one in in_time if one >= place), in_time[-1]) + 0.25


def _drawn(exchange: Exchange, count: int, draw: np.random.Generator) -> Mapping[int, Sending]:
    """Return which messages are sent otherwise than whole; one that comes late is not the last."""
    left = draw.permutation(count).tolist()
    found: dict[int, Sending] = {}
    wanted = [(sending, _number(share, count)) for sending, share in exchange.faults.shares.items()]
    for sending, number in [*wanted, (Sending.OVERRIDDEN, exchange.overridden)]:
        fit = [place for place in left if place < count - 1 or sending not in _NEEDS_A_NEXT]
        for place in fit[:number]:
            found[place] = sending
            left.remove(place)
    return found


def _number(share: float, count: int) -> int:
    return max(1, round(share * count)) if share > 0 else 0


def _sent(exchange: Exchange, place: int, body: bytes, sending: Sending, draw: np.random.Generator) -> SentMessage:
    """Return the message as it is sent."""
    if sending is Sending.MALFORMED:
        damaged = _damaged_row(body, draw) if exchange.form is WireForm.FILES else _damaged_json(body, draw)
        return SentMessage(place, damaged, sending)
    if sending is Sending.MISSING:
        names = _removable(exchange)
        name = names[int(draw.integers(len(names)))]
        form = FORMS[exchange.form]
        lacking = form.write(without(form, form.read(body), exchange.fields[name]))
        return SentMessage(place, lacking, sending, lacks=name)
    return SentMessage(place, body, sending)


def _removable(exchange: Exchange) -> list[str]:
    """Return the features that can be taken out and leave what identifies the message and its time."""
    kept = {exchange.identifier, exchange.time}
    return sorted(name for name, place in exchange.fields.items() if place.at not in kept) or sorted(exchange.fields)


def _damaged_json(body: bytes, draw: np.random.Generator) -> bytes:
    """Return bytes that are no JSON object any more: cut, no UTF-8, too deep, or with a key twice."""
    body = body.strip()
    at = int(draw.integers(1, len(body)))
    damages = (
        body[:at],
        body[:at] + b"\xff" + body[at:],
        b'{"deep":' + b"[" * _DEEP + b"]" * _DEEP + b"," + body[1:],
        b'{"twice":1,"twice":2,' + body[1:],
    )
    return damages[int(draw.integers(len(damages)))]


def _damaged_row(body: bytes, draw: np.random.Generator) -> bytes:
    """Return a row that is none any more: a cell too many, no UTF-8, or a quote that nothing closes."""
    row = body.rstrip(b"\r\n")
    damages = (row + b",1\n", row + b"\xff\n", row + b',"\n')
    return damages[int(draw.integers(len(damages)))]
