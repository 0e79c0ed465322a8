"""Which cases people label: the first of an order that a secret fixes, and sheets that say nothing of the judge.

The secret is drawn, and committed to by its hash, before the judge is asked: whoever gives the answers cannot know
which are looked at, and nobody can choose them by their scores. The same order decides (`trial decide --order-seed`),
so that more labels may be drawn later: the evidence stands at any number of them.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from pilotbase.documents.files import format_csv
from pilotbase.documents.hashes import Digest
from pilotbase.documents.judge import FIRST, SECOND, Judge
from pilotbase.trial.deciding import order_of_seed
from pilotbase.trial.judging.judged_cases import JudgedCases

_SEED_BYTES = 6
"""A number that JSON holds exactly."""
_TITLES = {
    "question": "问题",
    "reference": "参考答案",
    "answer": "回答",
    FIRST: "回答一",
    SECOND: "回答二",
    "context": "依据",
}


def order_seed(secret: bytes, judging: Digest) -> int:
    """Return the seed of the order in which cases are labelled and decided."""
    digest = hashlib.sha256(b"pilotbase judge\x00" + secret + judging.encode()).digest()
    return int.from_bytes(digest[:_SEED_BYTES])


def drawn_rows(cases: int, seed: int, start: int, end: int) -> list[int]:
    """Return the cases at places ``start`` … ``end`` − 1 of the order, as rows."""
    rows: list[int] = order_of_seed(cases, seed)[start:end].tolist()
    return rows


def changes_places(secret: bytes, row: int) -> bool:
    """Tell whether the two answers of a case stand in the other order on the sheet: people lean to the first, too."""
    return bool(hmac.digest(secret, b"places" + row.to_bytes(8, "big"), "sha256")[0] & 1)


def format_sheet(judge: Judge, cases: JudgedCases, rows: Sequence[int], secret: bytes) -> bytes:
    """Return what labellers fill in: the cases ``rows`` without any score, and an empty column of labels."""
    places = sorted(judge.places, key=lambda place: place in (FIRST, SECOND))
    asked = "label 标注: 1 or 2, the better one 更好者" if judge.compares else "label 标注: right/wrong 对/错"
    header = ["item 编号", *(f"{place} {_TITLES.get(place, '')}".strip() for place in places), asked]
    return format_csv(header, ([*_cells(judge, cases, row, places, secret), ""] for row in rows))


def _cells(judge: Judge, cases: JudgedCases, row: int, places: Sequence[str], secret: bytes) -> list[str]:
    turned = {FIRST: SECOND, SECOND: FIRST} if judge.compares and changes_places(secret, row) else {}
    return [cases.names[row], *(cases.places[turned.get(place, place)][row] or "" for place in places)]
