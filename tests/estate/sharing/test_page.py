"""The page says what happens: its pool is read, and its day is run."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pilotbase.documents.loading import build_document
from pilotbase.documents.yaml_reader import parse_yaml
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.vocabularies import WaitReason
from pilotbase_estate.sharing.explaining import waits
from tests.estate.sharing.pools_for_tests import Play

PAGE = (Path(__file__).parents[3] / "docs" / "share-computing-power.md").read_text("utf-8")
HALF_A_DAY = 12 * 3600.0


def ending(play: Play, organisation: str, number: int) -> None:
    play.end(*sorted(play.running(organisation))[:number])


def nine(play: Play) -> None:
    play.submit("plant", 100, max_seconds=HALF_A_DAY, cpu=1)


def five_past(play: Play) -> None:
    for person in ("li", "wang"):
        play.submit("lab", 20, person=person, max_seconds=HALF_A_DAY, cpu=1)


def eleven(play: Play) -> None:
    for pending in play.desk.books.accounts["plant"].line.in_order():
        play.desk.withdraw(pending.job)
    ending(play, "plant", 20)


def twelve(play: Play) -> None:
    play.submit("start-up", 30, max_seconds=HALF_A_DAY, cpu=1)


DAY: dict[str, Callable[[Play], None]] = {
    "09:00": nine,
    "09:05": five_past,
    "09:10": lambda play: None,
    "10:00": lambda play: ending(play, "plant", 20),
    "11:00": eleven,
    "12:00": twelve,
}


def test_the_day_of_the_page():
    written = re.search(r"```yaml\n(.*?)```", PAGE, re.S)[1]
    play = Play(build_document(Pool, parse_yaml(written.encode(), "pool.yaml")))
    rows = [
        [cell.strip() for cell in row.strip("| ").split("|")] for row in re.findall(r"^\| \d\d:\d\d .*$", PAGE, re.M)
    ]
    assert [row[0] for row in rows] == list(DAY)
    for time, _, *figures in rows:
        hours, minutes = map(int, time.split(":"))
        before = len(play.evictions)
        play.wait((hours - 9) * 3600 + minutes * 60 - play.now)
        DAY[time](play)
        play.settle()
        held = [play.used(name) for name in ("plant", "lab", "start-up")]
        found = [*held, play.desk.waiting, len(play.evictions) - before]
        assert found == [float(figure) for figure in figures], time
        reasons = {one.reason for one in waits(play.desk, play.now).values()}
        assert (WaitReason.RECLAIMING in reasons) == (time == "09:05")


@pytest.mark.parametrize("reason", WaitReason)
def test_the_page_says_what_each_reason_means(reason):
    assert len(re.findall(rf"^\| `{reason}` \| \S", PAGE, re.M)) == 1
