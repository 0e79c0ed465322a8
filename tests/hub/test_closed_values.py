"""No page, operation, error or download tells a hidden value to anybody: every address × person, around a real trial.

The application prints all that it is asked, labels are planted as unmistakable words, and so is every number. What
operator, owner and regulator take on purpose (the sample bundle, logged) holds labels, and no feature.
"""

import random
import re
from collections import deque

import polars as pl
import pytest

from pilotbase.documents.permissions import Act
from pilotbase.vault.hidden import HiddenSet
from tests.catalogue.records_for_tests import DESK
from tests.data.private.closed_for_tests import runs
from tests.hub.closed_for_tests import ADDRESS, keep_closed
from tests.hub.reaches_for_tests import PAGES
from tests.hub.worlds_for_tests import _person
from tests.trial.conftest import writing_application, writing_scenario
from tests.worker.commissions_for_tests import Ordered

QUICK = ("visitor", "owner", "supplier", "reviewer")
"""One of each kind; the others are asked by ``make prove``."""
OTHERS = ("stranger", "desk", "other-owner", "other-supplier", "other-reviewer", "regulator")
MOST_PAGES = 250
"""Of one person: about three times what there is to be found."""
LINK = re.compile(rb'(?:href|src|action|hx-get)="(/[^"#]*)')
PRINTING = """import sys
def predict(batch):
    print(list(zip(batch['pressure'], batch['age'], batch['site'])), flush=True)
    print(list(batch['pressure']), file=sys.stderr, flush=True)
    return ['broken' if p > 6 else 'fine' for p in batch['pressure']]
"""


def plant(folder) -> None:
    """Let every row have a key and a number that stand nowhere else."""
    draw, rows = random.Random(11), pl.read_csv(folder / "cases.csv")
    numbers = [round(value + draw.random() / 1000, 9) for value in rows["pressure"]]
    keys = [f"K{draw.randrange(10**12):012d}" for _ in range(rows.height)]
    rows.with_columns(pressure=pl.Series(numbers), case_id=pl.Series(keys)).write_csv(folder / "cases.csv")


@pytest.fixture(scope="module")
def tried(one_world, tmp_path_factory):
    """A world with an accepted trial of an application that prints what it sees, and what was hidden from it."""
    from pilotbase.hub.base import base

    place = tmp_path_factory.mktemp("closed")
    scenario = writing_scenario(place)(change=lambda content: content + "  approvals: [{kind: ethics}]\n")
    plant(scenario)
    ordered = Ordered(base())
    ordered.open(scenario, writing_application(place)(PRINTING))
    ordered.propose()
    ordered.approve()
    ordered.freeze()
    ordered.do_queued()
    ordered.accept()
    ordered.work()
    one_world.ordered, one_world.hidden = ordered, hidden_words(ordered, scenario)
    one_world.hidden += tell_of_closed(one_world, ordered, tmp_path_factory.mktemp("kept"))
    return one_world


def tell_of_closed(world, ordered, place) -> list[bytes]:
    """Let a closed dataset be told of in every way that there is, and return what its numbers are.

    A profile and a synthetic sample of it, both with an answer; a labelling round, in which others label.
    """
    draw = random.Random(12)
    torque = [None if value is None else round(value + draw.random() / 1000, 9) for value in runs(800)["torque"]]
    rows = runs(800).with_columns(torque=pl.Series(torque, dtype=pl.Float64))
    keep_closed(world, place, rows)
    for asked in ({"epsilon": 900_000}, {"epsilon": 1_500_000, "rows": 200}):
        posted = world.client("supplier").post(ADDRESS, asked, content_type="application/json")
        assert posted.status_code == 202, posted.content
    labellers = [{"organisation": "plant", "person": _person(who, "plant", "demand_owner").identity} for who in "xyz"]
    made = {
        "name": "round",
        "guideline_version": "1",
        "guideline": "Look.",
        "classes": ["fine", "broken"],
        "items": 50,
        "annotators": labellers[:2],
        "adjudicator": labellers[2],
    }
    opened = world.client("owner").post("/api/datasets/plant/logs/labelling", made, content_type="application/json")
    assert opened.status_code == 201, opened.content
    assert {end for _, end in ordered.work()} == {"done"}
    return [str(value).encode() for value in torque if value is not None and len(str(value)) > 8]


def hidden_words(ordered, scenario) -> list[bytes]:
    """Return what is written of the hidden rows: their keys and their numbers."""
    from pilotbase.trial.sealed import SealedScenario

    lab = ordered.base.lab
    (sealed,) = (one.load(SealedScenario) for one in lab.view.find("sealed-scenario", limit=10))
    public = pl.read_parquet(lab.vault.blobs.get(sealed.public_sample))
    rows = pl.read_csv(scenario / "cases.csv")
    hidden = rows.filter(~pl.col("pressure").is_in(public["pressure"].implode()))
    assert hidden.height == lab.view.load(sealed.hidden_set, HiddenSet).rows > 300
    return [str(word).encode() for word in [*hidden["case_id"], *hidden["pressure"]]]


def addresses() -> list[str]:
    """Return every address of the table of who reaches what, for this trial and its digests left out."""
    told = [line.split()[0] for line in PAGES.strip().splitlines()[1:]]
    renamed = (one.replace("plant/milling", "plant/small-alarm").replace("acme/forest", "acme/alarm") for one in told)
    return [one for one in renamed if "{" not in one]


def answers(world, who):
    """Yield (address, body) of all that a person finds, from every known address on, link by link."""
    browser = world.client(None if who == "visitor" else who)
    waiting, seen = deque(addresses()), set(addresses())
    while waiting and len(seen) < len(addresses()) + MOST_PAGES:
        address = waiting.popleft()
        found = browser.get(address)
        body = b"".join(found.streaming_content) if found.streaming else found.content
        yield address, body
        for link in LINK.findall(body):
            path = link.decode().replace("&amp;", "&")
            if path not in seen and not path.startswith(("/static/", "/language/")):
                seen.add(path)
                waiting.append(path)


@pytest.mark.parametrize("who", [*QUICK, *(pytest.param(who, marks=pytest.mark.prove) for who in OTHERS)])
def test_nobody_is_told_a_hidden_value_by_any_page_operation_or_error(tried, who):
    wanted = re.compile(b"|".join(re.escape(word) for word in tried.hidden))
    told, read = [], 0
    for address, body in answers(tried, who):
        read += 1
        match = wanted.search(body)
        if match is not None:
            told.append((address, match[0]))
    assert told == []
    assert read > 100


def test_the_search_is_not_blind(tried):
    """What somebody writes into a record is found, by whoever reads it."""
    key = tried.hidden[0].decode()
    tried.ordered.do(DESK, Act.CERTIFICATE_SUSPEND, note=f"Complaint about case {key}.")
    seen = dict(answers(tried, "supplier"))
    assert any(address.startswith(ADDRESS) and b"<svg" not in body for address, body in seen.items())
    assert any(b"discrete Laplace" in body for body in seen.values()), "the answers were read"
    found = [address for address, body in seen.items() if key.encode() in body]
    assert "/trials/c1/" in found
    assert any(address.startswith("/api/trials/c1") for address in found)
