"""The page `docs/evidence.md` and its figures, made of the claims and of what the simulations showed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.evidence.claims import CLAIMS, SECTIONS
from benchmarks.evidence.contract import Claim, Row
from benchmarks.evidence.figures import shares_figure, spell_share

HEAD = """<!-- Written by `make evidence`; do not edit. -->

# The evidence: every claim beside the figure that proves it

Everything here is computed by `make evidence` with fixed seeds: the same numbers on every machine, in a quarter of
an hour on two cores (here: {machine}; {versions}). **{holding} of {total} claims hold.**
For readers who are no statisticians there is [a page of its own](evidence-for-readers.md).
每条声明均附中文；不学统计的读者请看[另一页](evidence-for-readers.md)。

* **Tempting way** (red square): what one would do without thinking of it. It has to *fail*, or the claim says nothing.
* **The product** (blue dot): `pilotbase.evidence` and `pilotbase.measures`, the functions that a trial calls.
* **Figure of the reference** (hollow diamond): what the specification or a paper states; where the set-up could not be
  known in every detail, only that the tempting way fails is asked, and the difference is shown.
* **Condition.** A share of runs that must not exceed α may do so by three standard errors of the simulation,
  3·√(α(1−α)/runs), and no more; a share that must exceed α has to do so by as much. Whiskers are exact 99.7 %
  intervals of the simulated share.
* **α** is 0.05 for accepting and 0.05 for rejecting unless a claim says otherwise. Runs and seeds stand in
  [results.json](evidence/results.json).

## All claims

| claim | condition met | what the tempting way does | what the product does |
|---|---|---|---|
"""


def page(rows: Mapping[str, Sequence[Row]], results: Mapping[str, Any]) -> str:
    """Return the page's text from the rows of each claim and what they were computed with."""
    holding = sum(all(row.holds for row in found) for found in rows.values())
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    head = HEAD.format(holding=holding, total=len(rows), machine=results["machine"], versions=versions)
    return head + "\n".join([*_overview(rows), "", *_sections(rows)])


def figure(claim: Claim, rows: Sequence[Row]) -> str | None:
    """Return the claim's figure as SVG; None when there is no share of runs to draw."""
    if claim.figure is not None:
        return claim.figure(rows)
    return shares_figure(claim.title.en, rows, claim.level) if any(row.low is not None for row in rows) else None


def _overview(rows: Mapping[str, Sequence[Row]]) -> Iterator[str]:
    for claim in (claim for claim in CLAIMS if claim.id in rows):
        found = rows[claim.id]
        yield (
            f"| [{claim.title.en}](#{claim.id}) {claim.title.zh} | {_mark(all(row.holds for row in found))} "
            f"| {_first(found, 'wrong')} | {_first(found, 'ours')} |"
        )


def _first(rows: Sequence[Row], way: str) -> str:
    row = next((row for row in rows if row.way == way), None)
    return "–" if row is None else f"{row.label}: {_number(row)}"


def _sections(rows: Mapping[str, Sequence[Row]]) -> Iterator[str]:
    for words, claims in SECTIONS:
        yield f"## {words.en} · {words.zh}\n"
        for claim in (claim for claim in claims if claim.id in rows):
            yield from _claim(claim, rows[claim.id])


def _claim(claim: Claim, rows: Sequence[Row]) -> Iterator[str]:
    yield f'<a id="{claim.id}"></a>\n'
    yield f"### {claim.title.en} · {claim.title.zh}\n"
    yield f"{claim.sentence.en}\n\n{claim.sentence.zh}\n"
    yield f"*Assumes:* {claim.assumes.en}\n\n*前提：*{claim.assumes.zh}\n"
    if figure(claim, rows) is not None:
        yield f"![{claim.title.en}](evidence/{claim.id}.svg)\n"
    if claim.note:
        yield f"{claim.note}\n"
    yield "| | way | shown | reference | condition | runs | |\n|---|---|---|---|---|---|---|"
    for row in rows:
        target = "–" if row.target is None else _plain(row.target)
        yield (
            f"| {row.label} | {row.way} | {_number(row)} | {target} | {row.condition} | {row.runs:,} "
            f"| {_mark(row.holds)} |"
        )
    yield ""


def _number(row: Row) -> str:
    return spell_share(row.value) if row.low is not None else _plain(row.value)


def _plain(value: float) -> str:
    if value == int(value) and abs(value) < 1e6:
        return f"{value:,.0f}"
    return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.6g}"


def _mark(holds: bool) -> str:
    return "✔ holds" if holds else "✘ does not hold"
