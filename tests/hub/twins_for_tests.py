"""Two hubs that differ in nothing but closed values, and what somebody finds out from either by asking."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field

import polars as pl

from tests.data.private.closed_for_tests import runs
from tests.hub.sealed_for_tests import CASES
from tests.hub.work_for_tests import Work, counted_work

JSON = {"content_type": "application/json"}
ROW = pl.int_range(pl.len())
MOMENT = re.compile(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?( UTC|Z|\+00:00)?")
LEFT_OUT = {
    MOMENT: "when it was: the two hubs are made one after the other",
    re.compile(rb'name="csrfmiddlewaretoken" value="[^"]*"'): "drawn for each form",
    re.compile(rb"[0-9a-f]{16,}"): "digests and identities: over keys and moments of their own hub, all of one length",
    re.compile(rb"data-at=\"[^\"]*\""): "when it was",
}
"""Parts of an answer that may differ between the two hubs → why."""
SIGNED = re.compile(
    r"certificate\.json|trust-roots\.json|log-key\.txt|revocations\.json|\.jwt|/badge|/envelope|/proof|checkpoint"
)
"""Addresses of what holds keys and signatures, drawn anew on each hub: of these the length is compared."""
HEADERS_LEFT_OUT = {
    "X-Request-Id": "drawn for each request",
    "Expires": "now, on pages of accounts",
    "Last-Modified": "when the hub was made, on feeds",
}
"""Headers that may differ → why. Digests in others (ETag, Location) may differ as they may in answers."""


WHOLE = frozenset({"headers", "body", "length", "document_bytes", "blob_bytes", "calls"})
READS = frozenset({"document_bytes"})
REPORTED = {
    re.compile(r"GET .*/logs/quality(\.html)?$"): (WHOLE, "the report on quality, which its owner has published"),
    re.compile(r"GET /datasets/plant/logs/$"): (WHOLE, "draws that report"),
    re.compile(r"GET (/datasets/(\?.*)?|/api/catalogue/datasets)$"): (READS, "tell a grade out of it"),
}
"""Addresses → what may differ there once a report on quality is published, and why."""
RELEASED = {
    re.compile(r"GET /api/.*/statistics/(/sample)?$"): (WHOLE, "what the supplier has bought with ε: noise and all"),
    re.compile(r"[A-Z]+ .*/logs/statistics/?( .*)?$"): (READS, "tell how far that is"),
}
"""Addresses → what may differ there, as paid for, and why; all else of them is compared."""


def plain_rows(rows: int = 200) -> pl.DataFrame:
    """Return a closed table."""
    return runs(rows)


def other_rows(rows: int = 200) -> pl.DataFrame:
    """Return the same with other cells: a rule that does not hold, a near copy, a long text, gaps, other labels."""
    few, broken = ROW < 3, pl.col("failed") == "false"
    return runs(rows).with_columns(
        torque=pl.when(few).then(99.0).when(ROW == 4).then(pl.col("torque").shift(1)).otherwise("torque"),
        wear=pl.when(few).then(249).when(ROW == 4).then(pl.col("wear").shift(1)).otherwise("wear"),
        remark=pl.when(ROW == 0).then(pl.lit("x" * 9_000)).otherwise("remark"),
        hot=pl.when(ROW == 5).then(None).otherwise("hot"),
        kind=pl.when(ROW == 6).then(pl.lit("H")).otherwise("kind"),
        failed=pl.when(broken & (ROW > 180)).then(pl.lit("true")).otherwise("failed"),
    )


def other_cases() -> pl.DataFrame:
    """Return the hidden cases with other cells: near copies of shown ones, a gap, other labels."""
    return CASES.with_columns(
        torque=pl.when(ROW == 40).then(3.001).when(ROW == 41).then(None).otherwise("torque"),
        failure=pl.when(ROW > 50).then(pl.lit("broken")).otherwise("failure"),
    )


@dataclass(frozen=True)
class Found:
    """What somebody finds out by one request: the answer as far as hubs may not differ, and what the base did."""

    who: str
    asked: str
    status: int
    headers: dict[str, bytes]
    body: bytes
    length: int
    work: Work = field(compare=False)


def get_all(world, people: Iterable[str], addresses: list[str]) -> Iterator[Found]:
    """Yield what people find at addresses."""
    for who in people:
        browser = world.client(None if who == "visitor" else who)
        for address in addresses:
            yield found(who, f"GET {address}", lambda address=address, browser=browser: browser.get(address))


def send_all(world, who: str, requests) -> Iterator[Found]:
    """Yield what one finds out by ``requests``: method, address, body."""
    browser = world.client(who, raise_request_exception=False)
    for method, address, body in requests:
        send = getattr(browser, method)
        told = f"{method.upper()} {address} {json.dumps(body)[:80]}"
        yield found(who, told, lambda send=send, address=address, body=body: send(address, body, **JSON))


def found(who: str, asked: str, send) -> Found:
    """Return what is found out by ``send``, which sends one request and returns the answer."""
    with counted_work(lambda body: len(left(body))) as work:
        answer = send()
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    headers = {name: left(value.encode()) for name, value in answer.headers.items() if name not in HEADERS_LEFT_OUT}
    kept = b"" if SIGNED.search(asked) else left(body)
    return Found(
        who, left(asked.encode()).decode(), answer.status_code, headers, kept, len(MOMENT.sub(b"", body)), work
    )


def left(body: bytes) -> bytes:
    """Return what is left of a body without what may differ."""
    for part in LEFT_OUT:
        body = part.sub(b"", body)
    return body


def differences(one: Iterable[Found], other: Iterable[Found], reported: bool) -> list[str]:
    """Return in words where two hubs differ; ``reported``: a report on quality is published."""
    wrong, released = [], RELEASED | (REPORTED if reported else {})
    for here, there in zip(one, other, strict=True):
        assert (here.who, here.asked) == (there.who, there.asked)
        parts, others = _parts(here), _parts(there)
        may = frozenset[str]().union(*(names for place, (names, _) in released.items() if place.search(here.asked)))
        wrong += [
            f"{here.who} {here.asked}: {name} {_around(part, others[name])}"
            for name, part in parts.items()
            if part != others[name] and name not in may
        ]
    return wrong


def _parts(found: Found) -> dict[str, object]:
    """Return by name what is compared: of the answer, and of the work."""
    answer = {name: getattr(found, name) for name in ("status", "headers", "body", "length")}
    return {**answer, **asdict(found.work)}


def _around(one: object, other: object) -> str:
    if not isinstance(one, bytes) or not isinstance(other, bytes):
        return f"{one!r}, there {other!r}"
    place = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    begin = max(0, place - 40)
    return f"{one[begin : place + 40]!r}, there {other[begin : place + 40]!r}"
