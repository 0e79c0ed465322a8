"""The page `docs/evidence.md` and its figures, made from the claims and the results of the simulations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.evidence.claims import CLAIMS, SECTIONS
from benchmarks.evidence.contract import Claim, Row
from benchmarks.evidence.figures import shares_figure, spell_share

HEAD = """<!-- Written by `make evidence`; do not edit. -->

# The evidence: every claim beside the figure that proves it

Everything here is computed by `make evidence` with fixed seeds, so the same versions give the same numbers (except
private noise, which nobody may seed), in a quarter of an hour on two cores (here: {machine}; {versions}).
**{holding} of {total} claims hold.**
For readers who are no statisticians there is [a page of its own](evidence-for-readers.md).
每条声明均附中文；不学统计的读者请看[另一页](evidence-for-readers.zh.md)。

* **Tempting way** (red square): what one would do without thinking of it. It has to *fail*, or the claim says nothing.
* **The product** (blue dot): `pilotbase.evidence` and `pilotbase.measures`, the functions that a trial calls.
* **Reference** (hollow diamond): what the project's statistical specification or a paper states; where the
  set-up could not be known in every detail, only that the tempting way fails is asked, and the difference is shown.
* **Condition.** A share of runs that must not exceed α may do so by three standard errors of the simulation,
  3·√(α(1−α)/runs), printed after the plus sign, and no more; a share that must exceed α has to do so by as much.
  Whiskers are exact 99.7 % intervals of the simulated share.
* **α** is 0.05 for accepting and 0.05 for rejecting unless a claim says otherwise. Runs and seeds stand in
  [results.json](evidence/results.json).

## All claims

| claim | asked for by | | what the tempting way does | what the product does |
|---|---|---|---|---|
"""


TAIL = """
## What is not shown here · 此处未展示的内容

* **A4, A5, A8, A9, A10**: the papers show figures without numbers, or their numbers could not be read. What stands
  beside ours is the reference's own simulation, or an order or a property that the paper states.
* Simulated cases are draws from a model. That units are independent, the order random and the conditions stable is what
  each claim *assumes*; nothing here shows it of a real set.
* Medians and delays (sample saving, few labels, watch delay) are facts about the simulated situations, not guarantees.
* The 0.3 % of the conditions that a sound procedure misses by chance are not corrected for the number of conditions:
  with fixed seeds a condition that holds once holds always.
* Speed is measured by `make bench-evidence`, see
  [benchmarks/results/evidence.json](../benchmarks/results/evidence.json).

A4、A5、A8、A9、A10 的论文只有图或其数字未能读到，
并列的是参考文件自身的模拟或论文陈述的性质。
模拟案例来自模型：单位独立、顺序随机、条件平稳是各声明的**前提**，此处并未对任何真实数据予以证明。中位数与延迟只是所模拟情形的事实，不是保证。
"""


def page(rows: Mapping[str, Sequence[Row]], results: Mapping[str, Any]) -> str:
    """Return the page's text from the rows of each claim and how they were computed."""
    holding = sum(all(row.holds for row in found) for found in rows.values())
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    head = HEAD.format(holding=holding, total=len(rows), machine=results["machine"], versions=versions)
    return head + "\n".join([*_overview(rows), "", *_sections(rows)]) + TAIL


def figure(claim: Claim, rows: Sequence[Row]) -> str | None:
    """Return the claim's figure as SVG; None if there is no share of runs to draw."""
    if claim.figure is not None:
        return claim.figure(rows)
    return shares_figure(claim.title.en, rows, claim.level) if any(row.low is not None for row in rows) else None


def _overview(rows: Mapping[str, Sequence[Row]]) -> Iterator[str]:
    for claim in (claim for claim in CLAIMS if claim.id in rows):
        found = rows[claim.id]
        yield (
            f"| [{claim.title.en}](#{claim.id}) {claim.title.zh} | {claim.source} "
            f"| {_mark(all(row.holds for row in found))} | {_first(found, 'wrong')} | {_first(found, 'ours')} |"
        )


def _first(rows: Sequence[Row], way: str) -> str:
    # Shares without a condition (a curve before its end) make no headline.
    row = next((row for row in rows if row.way == way and row.condition != "≤ 1"), None)
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
    yield f"*Assumes:* {claim.assumes.en}\n\n*前提*：{claim.assumes.zh}\n"
    if figure(claim, rows) is not None:
        yield f"![{claim.title.en}](evidence/{claim.id}.svg)\n"
    if claim.note:
        yield f"{claim.note}\n"
    yield "| | way | shown | reference | difference | condition | runs | |\n|---|---|---|---|---|---|---|---|"
    for row in rows:
        target = "–" if row.target is None else _plain(row.target)
        difference = "–" if row.target is None else _difference(row.value - row.target)
        yield (
            f"| {row.label} | {row.way} | {_number(row)} | {target} | {difference} | {row.condition} | {row.runs:,} "
            f"| {_mark(row.holds)} |"
        )
    yield ""


def _number(row: Row) -> str:
    return spell_share(row.value) if row.low is not None else _plain(row.value)


def _plain(value: float) -> str:
    if value == int(value) and abs(value) < 1e6:
        return f"{value:,.0f}"
    return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.6g}"


def _difference(value: float) -> str:
    return "0" if abs(value) < 5e-7 else f"{value:+,.1f}" if abs(value) >= 10 else f"{value:+.4g}"


def _mark(holds: bool) -> str:
    return "✔ holds" if holds else "✘ does not hold"
