"""The steps of records as a page: who may take each, from where to where, within how long, under which conditions."""

from __future__ import annotations

from collections.abc import Iterator

from pilotbase.documents.lifecycles import LIFECYCLES, NEW, Transition, state_name
from pilotbase.documents.permissions import Relation, act_name, granted
from pilotbase.documents.texts import LANGUAGES, Text

LEAD = (
    "Every step that moves a record, in the order of its way: the table that pages, API and command line share. "
    "*The base* is its own process: nobody takes these steps by hand.\n"
)
_HEAD = "| step | who may | from | to | within | only when |\n|---|---|---|---|---|---|"


def step_lines() -> Iterator[str]:
    """Yield a table for each kind of record."""
    yield LEAD
    for kind, rows in LIFECYCLES.items():
        yield f"\n## {kind.capitalize()}\n"
        yield _HEAD
        for row in rows:
            yield _line(kind, row)
    yield ""


def _line(kind: str, row: Transition) -> str:
    came = [state_name(kind, state) for state in sorted(row.sources) if state != NEW]  # type: ignore[arg-type]
    to = _both(state_name(kind, row.target)) if row.target is not None else "stays"  # type: ignore[arg-type]
    return " | ".join(
        (
            f"| {_both(act_name(row.act))}<br>`{row.act}`",
            _who(row),
            "<br>".join(state.render("en") for state in came) or "new",
            to,
            f"{row.days} days" if row.days else "",
            ", ".join(need.value.replace("_", " ") for need in row.needs) + " |",
        )
    )


def _who(row: Transition) -> str:
    people = granted(row.act.grants, "en")
    machine = any(grant.relation is Relation.MACHINE for grant in row.act.grants)
    return ", ".join(part for part in (people, "the base" if machine else "") if part)


def _both(name: Text) -> str:
    return " ".join(dict.fromkeys(name.render(language) for language in LANGUAGES))
