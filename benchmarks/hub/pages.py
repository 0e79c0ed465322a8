"""The pages that are measured, and for which roles: the cost comes from each seeing different rows."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from benchmarks.hub.accounts import OPERATOR, REGULATOR
from benchmarks.hub.browser import Browser
from benchmarks.hub.content import EVERYWHERE, OBJECTS
from benchmarks.hub.fill import Size

ROLES = {"visitor": None, "owner": "o0003", "supplier": "o0703", "operator": OPERATOR, "regulator": REGULATOR}
"""Role → the organisation whose person logs in."""
MEMBERS = ("owner", "supplier", "operator", "regulator")
_ENGLISH, _CHINESE = [pair[0] for pair in OBJECTS], [pair[1] for pair in OBJECTS]
_SHORT = [word for word in _CHINESE if len(word) == 2]


@dataclass(frozen=True)
class Page:
    """One page: the request, made anew each time, and its roles."""

    name: str
    path: Callable[[random.Random], str]
    roles: tuple[str, ...] = tuple(ROLES)
    is_bound: bool = True
    """Whether the target applies to it; a search that finds a third of all records is shown without one."""


def pages(size: Size) -> list[Page]:
    """Return every page that is measured."""

    def found(section: str, words: list[str]) -> Callable[[random.Random], str]:
        return lambda luck: f"/{section}/?q={quote(luck.choice(words))}"

    def often(words: str) -> Callable[[random.Random], str]:
        return found("scenarios", [words])

    def opened(luck: random.Random) -> str:
        number = next(n for n in iter(lambda: luck.randrange(size.scenarios), None) if size.state(n) == "open")
        return f"{size.owner(number)}/s{number}"

    def made(luck: random.Random) -> str:
        half, supplier = size.organisations // 2, str(ROLES["supplier"])
        return f"{supplier}/a{int(supplier[1:]) - half + half * luck.randrange(size.applications // half)}"

    return [
        Page("portal", lambda luck: "/"),
        Page("my work", lambda luck: "/work/", MEMBERS),
        Page("list of scenarios", lambda luck: "/scenarios/"),
        Page("list of scenarios, far down", lambda luck: f"/scenarios/?after=scenario:{opened(luck)}"),
        Page("list of scenarios of a state and sector", lambda luck: "/scenarios/?state=open&sector=energy"),
        Page("list of applications", lambda luck: "/applications/"),
        Page("list of trials", lambda luck: "/trials/", MEMBERS),
        Page("list of organisations", lambda luck: "/organisations/", MEMBERS),
        Page("search, an English word", found("scenarios", _ENGLISH)),
        Page("search, a Chinese word of two characters", found("scenarios", _SHORT)),
        Page("search, two words that every third record has", often(EVERYWHERE[0].replace("-", " ")), is_bound=False),
        Page("search, two characters that every third record has", often(EVERYWHERE[1]), is_bound=False),
        Page("search, one record's number", lambda luck: f"/scenarios/?q=之{luck.randrange(size.scenarios)}"),
        Page("search, nothing is found", found("scenarios", ["乂乂", "qqzx"])),
        Page("search among applications", found("applications", _SHORT)),
        Page("one scenario", lambda luck: f"/scenarios/{opened(luck)}/"),
        Page("one application", lambda luck: f"/applications/{made(luck)}/", ("supplier", "operator", "regulator")),
        Page("API: list of scenarios", lambda luck: "/api/scenarios?limit=50"),
        Page("API: search", lambda luck: f"/api/scenarios?limit=50&q={quote(luck.choice(_SHORT))}"),
        Page("API: one scenario", lambda luck: f"/api/scenarios/{opened(luck)}"),
        Page("overview", lambda luck: "/overview/", ("operator",)),
    ]


@dataclass(frozen=True)
class Timed:
    """How long a page took for the role that waited longest."""

    page: Page
    role: str
    p95: float
    """Milliseconds."""


def browsers(url: str) -> dict[str, Browser]:
    """Return a browser for each role, logged in."""
    made = {}
    for role, name in ROLES.items():
        made[role] = Browser(url, "zh" if role == "owner" else "en")
        made[role].get("/") if name is None else made[role].log_in(name)
    return made


def time_pages(url: str, size: Size, times: int) -> Iterator[Timed]:
    """Yield every page, requested ``times`` times by each of its roles, after two that are not counted."""
    people, luck = browsers(url), random.Random(3)
    for page in pages(size):
        worst = max((p95(list(_times(people[role], page, luck, times))), role) for role in page.roles)
        yield Timed(page, worst[1], worst[0])


def p95(values: list[float]) -> float:
    """Return the 95th percentile: the smallest value that at least 95 in a hundred do not exceed."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]


def _times(browser: Browser, page: Page, luck: random.Random, times: int) -> Iterator[float]:
    for number in range(times + 2):
        path = page.path(luck)
        answer = browser.get(path)
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")
        if number >= 2:
            yield answer.milliseconds
