"""No closed value shows in what the base does for who may not see it: answer, headers, length, and units of work.

What a request takes depends, in our code, on statements, blobs and bytes read, bytes decrypted, documents parsed, calls
and jobs: they are counted on two hubs that differ in nothing but closed values, and have to be the same. So what this
proves does not hang on a clock; one test with a clock stands beside it.
"""

import random
import time
from contextlib import contextmanager
from statistics import median

import polars as pl
import pytest

from pilotbase.data.splits import split_cases
from pilotbase.documents.base import Step
from pilotbase.documents.permissions import Act
from pilotbase.trial.scenario_folder import load_scenario
from tests.catalogue.records_for_tests import SUPPLIER
from tests.hub.closed_for_tests import ADDRESS, keep_closed
from tests.hub.reaches_for_tests import PAGES
from tests.hub.sealed_for_tests import CASES, seal_hidden
from tests.hub.told_for_tests import tell_closed
from tests.hub.twins_for_tests import JSON, differences, get_all, other_cases, other_rows, plain_rows, send_all
from tests.hub.work_for_tests import nothing_expires
from tests.hub.worlds_for_tests import world
from tests.trial.conftest import writing_application, writing_scenario
from tests.worker.commissions_for_tests import APPLICATION, Ordered

UNSEEING = ("visitor", "stranger", "supplier", "other-supplier", "other-owner", "reviewer", "other-reviewer")
"""Who may see no closed value, nor how many there are."""
QUICK = ("supplier",)
"""Who gains most by it; the others are asked by ``make prove``."""
ABOUT_DATA = ("dataset", "agreement", "labelling", "catalogue", "statistics")
DATASET = "/api/datasets/plant/logs"
NAMED = {"asked": "0" * 32, "file": "logs.csv"}
ASKED = [
    ("post", f"{ADDRESS}/price", {"epsilon": 500_000}),
    ("post", f"{ADDRESS}/price", {"epsilon": 500_000, "rows": 200}),
    ("post", ADDRESS, {"epsilon": 3_500_000}),
    ("post", ADDRESS, {"epsilon": 500_000, "cell_size": 1}),
    ("post", ADDRESS, {"epsilon": 500_000, "record_set": "run"}),
    ("post", ADDRESS, {"epsilon": 1}),
    ("post", ADDRESS, {"epsilon": "much"}),
    ("post", ADDRESS, {"epsilon": 500_000}),
    ("post", ADDRESS, {"epsilon": 500_000}),
    ("post", f"{ADDRESS}/price", {"epsilon": 500_000}),
    ("post", "/api/datasets/plant/none/statistics/price", {"epsilon": 500_000}),
    ("put", f"{DATASET}/quality", {}),
    ("post", f"{DATASET}/quality/measurement", {}),
    ("post", f"{DATASET}/labelling", {}),
    ("post", f"{DATASET}/files", {"upload": "0" * 32}),
    ("delete", f"{DATASET}/files/logs.csv", {}),
    ("post", "/api/agreements", {"dataset": "dataset:plant/logs", "purposes": ["pb:verification"]}),
    ("post", "/api/agreements/a1/acts/agreement.agree", {}),
    ("post", "/api/agreements/a1/acts/agreement.end", {}),
    ("post", ADDRESS, {"epsilon": 600_000}),
    ("post", "/api/applications/acme/forest/acts/application.rehearse", {}),
    ("post", "/api/applications/acme/forest/acts/application.board", {}),
]
"""What a supplier may send that touches closed data, or asks for it."""


def addresses(made, wanted=lambda address: True) -> list[str]:
    """Return addresses of pages and of operations that read, with the names of what there is."""
    report, scenario = (one.digest().partition(":")[2] for one in (made.trial.report, made.trial.scenario))
    digests = {"serial": report, "report": report, "milling": scenario, "xray": scenario}
    lines = PAGES.strip().splitlines()[1:]
    pages = [line.split()[0].format(**digests, upload="0" * 32, job="0" * 32) for line in lines]
    paths = made.client().get("/api/openapi.json").json()["paths"]
    pages += [named(made, path, operations["get"]) for path, operations in paths.items() if "get" in operations]
    # The stream names only what has changed and ends in ten minutes.
    return [one for one in dict.fromkeys(pages) if wanted(one) and one != "/live/"]


def about_data(address: str) -> bool:
    return any(word in address for word in ABOUT_DATA)


def pair(*rows):
    """Return a closed table and the cells of a hidden set, and the same with others; a sample takes 2000 rows."""
    return (plain_rows(*rows), CASES), (other_rows(*rows), other_cases())


@contextmanager
def closed_world(tmp_path_factory, values, told=False):
    """A world that keeps closed values, and in which nothing expires; ``told``: with all that is told of them."""
    rows, cases = values
    with world(tmp_path_factory.mktemp("twin")) as made, nothing_expires():
        made.trial.reach("certified")
        if told:
            made.known = tell(made, tmp_path_factory.mktemp("told"), rows, cases)
        else:
            made.known = {"/api/datasets/": {"name": "logs"}}
            keep_closed(made, tmp_path_factory.mktemp("kept"), rows)
        seal_hidden(made, attempts=6, frame=cases)
        yield made


def tell(made, place, rows, cases) -> dict[str, dict[str, str]]:
    """Return beginnings of addresses → what their parameters are called, after all is told and a rehearsal was run."""
    from pilotbase.hub.base import base

    known = tell_closed(made, place, rows)
    ordered, folder = Ordered(base()), writing_scenario(place)(name="rehearsed")
    if cases is not CASES:
        change_hidden(folder)
    ordered.open(folder, writing_application(place)())
    ordered.do(SUPPLIER, Act.APPLICATION_REHEARSE, subject=APPLICATION)
    assert {end for _, end in ordered.work()} == {"done"}
    scenario, application = {"owner": "plant", "name": "small-alarm"}, {"owner": "acme", "name": "alarm"}
    return {**known, "/api/scenarios/": scenario, "/api/applications/": application}


def change_hidden(folder) -> None:
    """Let hidden cases of a scenario's folder have other cells: labels, a gap, a near copy, a longer text."""
    document, _ = load_scenario(folder, Step.FREEZE)
    table = pl.read_csv(folder / "cases.csv")
    split = split_cases(table, document)
    hidden, shown = pl.col("case_id").is_in(split.hidden["case_id"].to_list()), split.public.row(0, named=True)
    place = hidden.cum_sum()
    copied = hidden & (place == 3)
    table.with_columns(
        pressure=pl.when(copied).then(shown["pressure"]).otherwise("pressure"),
        age=pl.when(copied).then(shown["age"]).when(hidden & (place == 4)).then(None).otherwise("age"),
        site=pl.when(hidden & (place == 5)).then(pl.lit("n" * 500)).otherwise("site"),
        failure=pl.when(hidden & (place < 12)).then(pl.lit("broken")).otherwise("failure"),
    ).write_csv(folder / "cases.csv")


def writes(made):
    """Yield method, address and body of every operation that writes, with nothing and with its example."""
    schema = made.client().get("/api/openapi.json").json()
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            if method in ("post", "put", "delete"):
                for body in ({}, example_of(operation, schema["components"]["schemas"])):
                    yield method, named(made, path, operation), body


def example_of(operation, schemas) -> dict:
    reference = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return schemas.get(reference.get("$ref", "").rpartition("/")[2], {}).get("examples", [{}])[0]


def named(made, path, operation) -> str:
    """Return the address of an operation, with the names of what there is."""
    report = made.trial.report.digest().partition(":")[2]
    beginning = max((one for one in made.known if path.startswith(one)), key=len, default="")
    examples = {one["name"]: one.get("example") for one in operation.get("parameters", [])}
    return path.format(**{**examples, **NAMED, "digest": report, "serial": report, **made.known.get(beginning, {})})


def found_in(tmp_path_factory, pair, told, people, asked):
    """Return of each world of a pair what people find at addresses, what a supplier finds out, what the owner finds.

    The first is made twice: what is made once a process is made in it.
    """
    found = []
    for values in (pair[0], *pair):
        with closed_world(tmp_path_factory, values, told) as made:
            read = list(get_all(made, people, addresses(made) if told else addresses(made, about_data)))
            owner = list(get_all(made, ["owner"], [f"{DATASET}/kept-files"]))
            found.append((read, list(send_all(made, "supplier", asked(made))), owner))
    return found[1:]


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    return found_in(tmp_path_factory, pair(), False, QUICK, lambda made: ASKED)


@pytest.mark.prove
def test_who_may_not_see_closed_values_finds_nothing_of_them(twins):
    (one, _, _), (other, _, _) = twins
    assert differences(one, other, reported=False) == []
    assert sum(found.status == 200 for found in one) > 20


@pytest.mark.prove
def test_what_a_supplier_asks_is_refused_and_taken_up_alike(twins):
    (_, one, _), (_, other, _) = twins
    assert differences(one, other, reported=False) == []
    assert {found.status for found in one} >= {200, 202, 403, 404, 422}
    assert sum(found.work.jobs for found in one) >= 2


@pytest.mark.prove
def test_the_comparison_is_not_blind(twins):
    """The owner, who may know how large a file is, is told other sizes."""
    (_, _, one), (_, _, other) = twins
    assert len(differences(one, other, reported=False)) > 0


@pytest.fixture(scope="module")
def whole_twins(tmp_path_factory):
    """As `twins`, with all that is told of closed data, a sealed scenario of which cells differ, and everybody."""
    return found_in(tmp_path_factory, pair(2000), True, UNSEEING, writes)


@pytest.mark.prove
def test_nobody_finds_a_difference_by_any_address(whole_twins):
    (one, _, _), (other, _, _) = whole_twins
    assert differences(one, other, reported=True) == []


@pytest.mark.prove
def test_nobody_finds_a_difference_by_any_operation_that_writes(whole_twins):
    (_, one, _), (_, other, _) = whole_twins
    assert differences(one, other, reported=True) == []


TIMES = 60
"""Of each operation on each of two datasets."""
FARTHEST = 0.25
"""From one half: how often a request on one takes longer than one on the other. By chance it lies beyond this once in a
million (Mann and Whitney 1947: deviation √(1/6n) = 0.053 of sixty each)."""
CLOCKED = {
    "its page": ("get", "/datasets/plant/{}/", None),
    "what it costs": ("post", "/api/datasets/plant/{}/statistics/price", {"epsilon": 500_000}),
    "statistics refused": ("post", "/api/datasets/plant/{}/statistics", {"epsilon": 3_500_000}),
    "its statistics": ("get", "/api/datasets/plant/{}/statistics", None),
    "first rows refused": ("get", "/api/datasets/plant/{}/preview", None),
    "a file refused": ("get", "/api/datasets/plant/{}/files/logs.csv", None),
    "its files": ("get", "/api/datasets/plant/{}/files", None),
}


@pytest.fixture(scope="module")
def beside(one_world, tmp_path_factory):
    """A hub with two closed datasets that differ in nothing but values and their name."""
    for name, rows in (("logs", plain_rows(2000)), ("cogs", other_rows(2000))):
        keep_closed(one_world, tmp_path_factory.mktemp(name), rows, name)
    return one_world


@pytest.mark.prove
@pytest.mark.parametrize("operation", CLOCKED)
def test_by_the_clock_the_values_of_a_dataset_make_no_difference(beside, operation):
    method, address, body = CLOCKED[operation]
    browser, taken = beside.client("supplier"), {"logs": [], "cogs": []}
    order, draw = [*taken] * TIMES, random.Random(operation)
    with nothing_expires():
        for name in taken:
            clocked(browser, method, address.format(name), body)
        draw.shuffle(order)
        for name in order:
            taken[name].append(clocked(browser, method, address.format(name), body))
    assert abs(longer(taken["logs"], taken["cogs"]) - 0.5) < FARTHEST, {
        name: f"{1000 * median(seconds):.2f} ms" for name, seconds in taken.items()
    }


def test_the_measure_of_the_clock_is_not_blind():
    draw = random.Random(1)
    noise = [[draw.gauss(20, 2) for _ in range(TIMES)] for _ in range(2)]
    assert abs(longer(*noise) - 0.5) < FARTHEST
    assert longer([one + 2 for one in noise[0]], noise[1]) - 0.5 > FARTHEST


def clocked(browser, method, address, body) -> float:
    """Return how long an answer takes, in seconds."""
    options = {} if body is None else {"data": body, **JSON}
    start = time.perf_counter()
    answer = getattr(browser, method)(address, **options)
    taken = time.perf_counter() - start
    assert answer.status_code in (200, 403), answer.content
    return taken


def longer(one: list[float], other: list[float]) -> float:
    """Return how often one of ``one`` is longer than one of ``other``: U divided by the number of pairs."""
    return sum((a > b) + (a == b) / 2 for a in one for b in other) / (len(one) * len(other))
