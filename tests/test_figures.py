"""Figures of speed in the pages are those that were published: publishing anew says which sentence to renew."""

import json
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
QUALITY = "docs/measure-data-quality.md"
POOLS = "docs/share-computing-power.md"
FORMS = ("docs/write-an-application.md", "docs/write-an-application.zh.md")
MILLION, SECOND, GIB = 1e6, 1e3, 1024


class Figure(NamedTuple):
    """A row of benchmarks/results: ``name`` is the row's name, or how the first such begins."""

    file: str
    name: str
    field: str = "value"
    digits: int = 2
    unit: float = 1

    def spelled(self) -> str:
        rows = json.loads((ROOT / "benchmarks" / "results" / f"{self.file}.json").read_text())
        rows.sort(key=lambda row: row["name"] != self.name)
        found = [row[self.field] for row in rows if row["name"].startswith(self.name)]
        assert found, f"no row of {self.file}.json begins with {self.name!r}"
        return f"{found[0] / self.unit:,.{self.digits}f}"


def trial(name, field="value", digits=2):
    return Figure("trial", name, field, digits)


def gateway(name, field="value", digits=2):
    return Figure("gateway", f"endpoint, {name}", field, digits)


def watch(name, field="value", digits=1, unit=MILLION):
    return Figure("watch", name, field, digits, unit)


def data(name, field="value", digits=1, unit=MILLION):
    return Figure("data", name, field, digits, unit)


def compute(name, field="value", digits=2, unit=1):
    return Figure("compute", name, field, digits, unit)


def kinds(name, field="value", digits=2):
    return Figure("kinds", name, field, digits)


PEER, RATIO = "peer_value", "ratio"
RULES = "types and twenty rules alone, 1,000,000 rows × 20 columns (parquet), beside "
RULES_AND_PROFILE = "types, twenty rules, profile, 1,000,000"
ONE_PASS = "types, rules, measures of one pass, profile, 1,000,000 rows × 20 columns "
ALL = "all measures, keys, duplicates, near copies, distributions, 1,000,000"
HUNDRED = "100,000,000 rows × 20 columns streamed from 6.3 GiB of Parquet, most memory"
LARGE = "100,000,000 rows × 20 columns streamed from 11.3 GB of Parquet, all measures with key and reference, "
CSV = "45,000,000 rows × 20 columns streamed from 10.2 GB of CSV, all measures with key and reference, "
FOREST = "ONNX in the box, boosted forest of 100 trees"
QUESTION = "an endpoint that answers at once"
SENTENCES = [
    ("README.md", "costs {} times the bare `predict` loop", trial("full pass, gradient boosting", RATIO)),
    ("README.md", "the trial adds {} ms to each batch of 4,096", trial("per batch of 4096 x 20, linear model: added")),
    ("README.md", "a box starts in {} ms", trial("box start until ready", digits=0)),
    ("README.md", "a warm round trip of 1,024 × 20 takes {} ms", trial("warm round trip 1,024 x 20")),
    ("README.md", "the gateway adds {} ms to a call", gateway("one connection: added p50", digits=1)),
    ("README.md", "(LiteLLM's proxy {} ms)", gateway("one connection: added p50", PEER, 0)),
    ("README.md", "costs {} CPU ms at 16 connections", gateway("16 connections: CPU a call")),
    ("README.md", "answers {} times as many calls", Figure("gateway", "endpoint, 16 connections", RATIO, 0)),
    (
        "README.md",
        "reads {} million rows of 20 columns in a CPU second",
        watch("rows × 20 columns, 1,000,000 rows, beside N"),
    ),
    ("README.md", "CPU second (NannyML {})", watch("rows × 20 columns, 1,000,000 rows, beside NannyML", PEER)),
    (
        "README.md",
        "none alarmed (Evidently {}",
        watch("quiet chunks of 200 with an alarm, 1,000 rows × 20 columns, reference 10,000", PEER, 0, 1),
    ),
    (
        "README.md",
        ", NannyML {}; `make bench-watch`",
        watch("quiet chunks of 200 with an alarm, 1,000 rows × 20 columns, reference 30,000", PEER, 0, 1),
    ),
    ("README.md", "costs a CPU second for {} million rows of 20 columns", data(RULES_AND_PROFILE)),
    ("README.md", "rules and profile; Great Expectations {})", data(RULES_AND_PROFILE, PEER, 2)),
    ("README.md", "rules alone {} million", data(RULES + "pandera")),
    ("README.md", "(pandera {},", data(RULES + "pandera", PEER)),
    ("README.md", ", Great Expectations {}); 100 million", data(RULES + "Great", PEER, 2)),
    ("README.md", "stream within {} GiB", data(HUNDRED, digits=1, unit=GIB)),
    (QUALITY, "| pandera, rules alone | {} million |", data(RULES + "pandera", PEER)),
    (QUALITY, "| types, rules and profile | {} million |", data(RULES_AND_PROFILE)),
    (QUALITY, "| Great Expectations, rules and profile | {} million |", data(RULES_AND_PROFILE, PEER, 2)),
    (QUALITY, "| {} times; 10 were aimed at |", data(RULES_AND_PROFILE, RATIO, unit=1)),
    (QUALITY, "the digest of the file (`--quick`) | {} million |", data(ONE_PASS + "(parquet)")),
    (QUALITY, "| the same from CSV | {} million |", data(ONE_PASS + "(csv)", digits=2)),
    (QUALITY, "| frictionless, rules alone | {} million |", data(ONE_PASS + "(csv)", PEER, 3)),
    (QUALITY, "| {} times |", data(ONE_PASS + "(csv)", RATIO, unit=1)),
    (QUALITY, "near copies, distributions | {} million |", data(ALL, digits=2)),
    (QUALITY, "| ydata-profiling, profile alone | {} million |", data(ALL, PEER, 3)),
    (QUALITY, "took at most {} MiB of memory", data(LARGE + "most memory", digits=0, unit=1)),
    (QUALITY, "of memory, {} GiB of disk and a CPU second", data(LARGE + "most on disk", unit=GIB)),
    (QUALITY, "of disk and a CPU second for {} million; 45 million", data(LARGE + "speed", digits=2)),
    (QUALITY, "of CSV (10.2 GB) took {} MiB of memory", data(CSV + "most memory", digits=0, unit=1)),
    (QUALITY, "of memory, {} GiB of disk and a CPU second for 0", data(CSV + "most on disk", unit=GIB)),
    (QUALITY, "of disk and a CPU second for {} million (both", data(CSV + "speed", digits=2)),
    (QUALITY, "took at most {} MiB with `--quick`", data(HUNDRED, digits=0, unit=1)),
    (POOLS, "the decision that follows take {} ms", compute("admission: p95 by the clock", digits=1)),
    (
        POOLS,
        "at the 95th percentile, {} thousand decisions a second",
        compute("admission: decisions a second by", digits=1, unit=1000),
    ),
    (POOLS, "A job that does nothing takes {} ms in its box", compute("local backend: a no-op job", digits=0)),
    (POOLS, "spawned for each such task takes {} ms", compute("local backend: a no-op job", PEER, 0)),
    (POOLS, "whose processes are kept takes {} ms", compute("local backend: the same, unlike", PEER)),
    (POOLS, "such a task takes {} ms there and back", compute("local engine: a no-op task")),
    (POOLS, "beside {} ms for one given to a kept process", compute("local engine: a no-op task", PEER)),
    (POOLS, "two at a time {} beside", compute("local engine: the same, two")),
    (POOLS, "beside {} ms ([why", compute("local engine: the same, two", PEER)),
    (POOLS, "a boxed job takes {} s", compute("Ray backend", digits=1, unit=SECOND)),
    (POOLS, "beside {} s for an actor", compute("Ray backend", PEER, 1, SECOND)),
    (FORMS[0], "takes {} times in its box", kinds(FOREST, RATIO)),
    (FORMS[0], "costs {} ms of the processor", kinds(QUESTION)),
    (FORMS[0], "Inspect AI {} ms", kinds(QUESTION, PEER, 1)),
    (FORMS[1], "onnxruntime 的 {} 倍", kinds(FOREST, RATIO)),
    (FORMS[1], "耗费处理器 {} 毫秒", kinds(QUESTION)),
    (FORMS[1], "在同一服务器上的评测为 {} 毫秒", kinds(QUESTION, PEER, 1)),
]


@pytest.mark.parametrize(("page", "sentence", "figure"), SENTENCES, ids=[one[1] for one in SENTENCES])
def test_a_figure_of_speed_is_the_one_that_was_published(page, sentence, figure):
    written = " ".join((ROOT / page).read_text("utf-8").split())
    assert sentence.format(figure.spelled()) in written
