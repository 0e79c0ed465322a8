"""The page `docs/measured.md`, made of the published rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from benchmarks.house import exceptions, mutants
from benchmarks.house.beside import PEERS
from benchmarks.publishing import Row

HEAD = """<!-- Written by `make measured`; do not edit. -->

# The house, measured

Every figure is read off the code or off a run; `tests/test_house.py` holds the bounds of what is quick to
read, `make prove` those of the mutants. Three numbers are the median, nine in ten, and the largest.
[Peers](../benchmarks/house/peers.md) were measured in the same way.

每项数字均由代码或一次运行读出；`make test` 守住可快速读出的界限，`make prove` 守住变异测试的界限。
三个数字依次为中位数、九成以内、最大值。[同类项目](../benchmarks/house/peers.md)以同样方法测量。

"""
BROUGHT = """
## What the base install brings · 基础安装的构成

| asked for | packages, with itself | MB, with all it brings | MB that nothing else here needs |
|---|---|---|---|
"""
EXCEPTIONS = """
## Exceptions · 例外

| rule | not held by | why |
|---|---|---|
"""
SURVIVORS = """
## Mutants that survive · 未被发现的变异

{count} mutants of each of {rooms} rooms: a comparison, a sum, a constant, a condition, a result, two arguments or a
statement is changed, and the tests of the room have to notice. The sample is drawn by a seed and does not move when
code elsewhere does. What no test notices is either a hole, which was mended, or
no difference that anybody could notice:

| where | changed | why no test can tell |
|---|---|---|
"""
ABOUT = """
## Runs · 测量记录

"""
UNMEASURED = """
## Not measured yet · 尚未测量

"""


def page(rows: list[Row], missing: dict[str, str]) -> str:
    """Return the page; ``missing``: figures without a run, and the command that measures them."""
    return HEAD + "\n".join(_lines(rows, missing)) + "\n"


def _lines(rows: list[Row], missing: dict[str, str]) -> Iterator[str]:
    yield f"| figure | here | bound | {' | '.join(PEERS)} | where, and what of it |"
    yield "|---|---|---|" + "---|" * (len(PEERS) + 1)
    yield from map(_line, rows)
    if missing:
        yield UNMEASURED + "\n".join(f"* {name}: `{command}`" for name, command in missing.items())
    yield ABOUT + "\n".join(sorted({_run(each) for each in rows}))
    yield BROUGHT + "\n".join(_brought(rows))
    yield EXCEPTIONS + "\n".join(f"| {rule} | `{what}` | {why} |" for rule, what, why in exceptions.reasons())
    head = SURVIVORS.format(count=mutants.PER_ROOM, rooms=len(mutants.ROOMS))
    yield head + "\n".join(_survivor(key, why) for key, why in mutants.explanations().items())


def _line(found: Row) -> str:
    value = found.get("shown") or f"{found['value']:,.4g} {found['unit']}".strip()
    bound = str(found["target"] or "").replace("<=", "≤").replace(">=", "≥")
    peers = found.get("peers")
    beside = [str(peers.get(name, "")) if isinstance(peers, dict) else "" for name in PEERS]
    told = "; ".join(str(found[key]) for key in ("place", "note") if found.get(key))
    return f"| {' | '.join([str(found['name']), str(value), bound, *beside, told])} |"


def _run(found: Row) -> str:
    """Return when and where a figure was measured; many share a run."""
    return f"* {found['date']}, commit {found['commit']}: {found['machine']}"


def _brought(rows: list[Row]) -> Iterator[str]:
    """Yield what each package over a megabyte brings."""
    found = [each for row in rows for each in cast("list[tuple[str, int, float, float]]", row.get("brought", []))]
    for name, packages, megabytes, alone in found:
        if megabytes > 1:
            yield f"| {name} | {packages} | {megabytes:.1f} | {alone:.1f} |"


def _survivor(key: tuple[str, ...], why: str) -> str:
    room, function, line, change = (part.replace("|", "\\|") for part in key)
    return f"| {room} `{function}` | `{line}`: {change} | {why} |"
