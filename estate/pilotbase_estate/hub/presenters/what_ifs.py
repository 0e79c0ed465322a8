"""What-ifs as pages and API show them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any

import yaml
from django.utils.safestring import SafeString

from pilotbase.hub.acting import language
from pilotbase.hub.presenters.drawn import drawn
from pilotbase.hub.presenters.records import title_of
from pilotbase.workspace.store import View
from pilotbase_estate.computing.what_if import WhatIf
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.pool_replay import PoolReplay
from pilotbase_estate.queue.pools import pool_of
from pilotbase_estate.replay.page.wording import ReplayWording


@dataclass(frozen=True)
class WhatIfChart:
    """A chart, and its description."""

    title: str
    chart: SafeString
    says: str


def format_pool(pool: Pool) -> str:
    """Return a pool as people write it, without the defaults."""
    plain = _without_empty(pool.to_json_value())
    return str(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=110))


def changes_told(view: View, found: WhatIf, replay: PoolReplay | None) -> str:
    """Return which lines of a pool's document the proposal changes; empty if none.

    ``replay``: its figures, which contain the pool of that day; without them it is compared with the pool of today.
    """
    order = found.order
    if order.considered is None:
        return ""
    stood = replay.pool_before if replay is not None else None
    before = view.load(stood, Pool) if stood is not None else pool_of(view, order.pool)[1]
    was, considered = (format_pool(one).splitlines() for one in (before, order.considered))
    return "\n".join(list(unified_diff(was, considered, lineterm=""))[2:])


def figures_told(replay: PoolReplay) -> dict[str, object]:
    """Return the tables and pictures that a page shows of a replay, as in its HTML file."""
    words = ReplayWording(language(), replay, title_of)
    return {
        "facts": words.facts,
        "policies": words.policies,
        "organisations": words.organisations,
        "pictures": [one for one in _pictures(words) if one.chart],
        "assumptions": words.assumptions,
    }


def _pictures(words: ReplayWording) -> Iterator[WhatIfChart]:
    left_out = words.t("replay.page.left_out", number=words.left_out) if words.left_out else ""
    used = words.t("replay.page.used", dimension=words.dimension(words.replay.shown_dimension))
    yield WhatIfChart(used, drawn(words.used()), words.t("replay.page.used_says"))
    for name, chart in (("waits", words.waits()), ("shares", words.shares())):
        says = f"{words.t(f'replay.page.{name}_says')} {left_out}".strip()
        yield WhatIfChart(words.t(f"replay.page.{name}"), drawn(chart), says)
    yield WhatIfChart(words.t("replay.page.fragments"), drawn(words.fragments()), words.t("replay.page.fragments_says"))


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_empty(one) for name, one in value.items() if one not in ({}, [])}
    return [_without_empty(one) for one in value] if isinstance(value, list) else value
