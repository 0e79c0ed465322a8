"""Light edits of public cases are found and counted; what is written anew, or alike by nature, is no copy."""

import resource
import time

import numpy as np
import polars as pl
import pytest

from pilotbase.data.leakage import check_leakage
from pilotbase.data.twins import similar_twins
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.vocabularies import Outcome
from pilotbase.measures.minhash import SIMILAR, jaccard, text_shingles

SYLLABLES = ["ba", "ke", "li", "mo", "nu", "ra", "se", "ti", "vo", "za"]
WORDS = np.array([f"{syllable}{ending}" for syllable in SYLLABLES for ending in range(90)])


def reports(rows, seed, words=45):
    """Cases of one text and a class that no text tells."""
    draw = np.random.default_rng(seed)
    texts = [" ".join(draw.choice(WORDS, words)) for _ in range(rows)]
    return pl.DataFrame({"report": texts, "cause": draw.choice(["wear", "heat", "dirt"], rows)})


def edited(text, draw):
    """One word is another, another is gone: as somebody edits a report before handing it in again."""
    words = text.split()
    words[draw.integers(2, 40)] = "replaced"
    del words[draw.integers(2, 40)]
    return " ".join(words).capitalize() + " "


def scenario_of(frame, target="cause", task="classification"):
    types = {pl.Float64: "sc:Float", pl.Int64: "sc:Integer", pl.String: "sc:Text"}
    fields = [{"name": name, "dataType": types[dtype.base_type()]} for name, dtype in frame.schema.items()]
    data = {"file": "cases.csv", "fields": fields, "target": target}
    value = {"name": "a", "title": "x", "owner": {"organisation": "plant"}, "problem": "x", "task": task, "data": data}
    return Scenario.model_validate(value)


def check_of(public, hidden, name="similar_cases", **parts):
    found = check_leakage(public, hidden, scenario_of(public, **parts)).checks
    return next(check for check in found if check.name == name)


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.prove) for seed in (2, 3))])
def test_thirty_edited_texts_of_a_thousand_are_found_and_counted(seed):
    public, hidden = reports(1000, seed), reports(970, 100 + seed)
    draw = np.random.default_rng(seed)
    chosen = public.sample(30, seed=seed)
    copies = chosen.with_columns(report=pl.Series([edited(text, draw) for text in chosen["report"]]))
    pairs = zip(chosen["report"], copies["report"], strict=True)
    similar = [jaccard(text_shingles(one), text_shingles(other.lower().strip())) for one, other in pairs]
    assert min(similar) >= SIMILAR
    found = check_of(public, pl.concat([hidden, copies]).sample(fraction=1, shuffle=True, seed=seed))
    assert (found.outcome, found.count) == (Outcome.FAIL, 30)
    assert "30" in found.sentence.render("zh")
    assert check_of(public, pl.concat([hidden, copies]), "near_duplicates").count == 0


@pytest.mark.one_in(2)
@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.prove) for seed in range(2, 6))])
def test_a_clean_split_of_texts_raises_no_alarm(seed):
    found = check_of(reports(1000, seed), reports(1000, 50 + seed))
    assert (found.outcome, found.count) == (Outcome.PASS, 0)


def test_copies_whose_answers_differ_are_coincidences():
    public, hidden = reports(1000, 8), reports(940, 9)
    copies = public.head(60).with_columns(report=pl.col("report") + " again", cause=pl.col("cause").shuffle(seed=2))
    found = check_of(public, pl.concat([hidden, copies]))
    assert (found.outcome, found.count) == (Outcome.PASS, 60)


def test_reports_from_one_template_cannot_be_told_from_copies():
    draw = np.random.default_rng(4)
    rows = [(f"the pump of line {draw.integers(9)} was found to be in a state of {cause}", cause)
            for cause in draw.choice(["wear", "heat", "dirt"], 2000)]  # fmt: skip
    frame = pl.DataFrame(rows, schema=["report", "cause"], orient="row").with_columns(
        report=pl.format("{}, case {}", "report", pl.int_range(pl.len()) % 1000)
    )
    found = check_of(frame.head(1000), frame.tail(1000))
    assert found.share > 0.5
    assert found.outcome is Outcome.INCONCLUSIVE


def test_exact_copies_of_the_only_text_are_a_leak():
    public, hidden = reports(1000, 5), reports(970, 6)
    found = check_of(public, pl.concat([hidden, public.head(30)]), "exact_duplicates")
    assert (found.outcome, found.count) == (Outcome.FAIL, 30)


def sensors(rows, seed, columns=20):
    draw = np.random.default_rng(seed)
    values = draw.normal(size=(rows, columns))
    frame = pl.DataFrame({f"x{place}": values[:, place] for place in range(columns)})
    return frame.with_columns(cause=pl.Series(draw.choice(["wear", "heat"], rows)))


@pytest.mark.prove
def test_rows_with_two_cells_that_are_others_are_found():
    public, hidden = sensors(1000, 1), sensors(960, 2)
    copies = public.sample(40, seed=1)
    for place in range(40):  # two other cells in each
        for column in (f"x{place % 20}", f"x{(place + 7) % 20}"):
            copies[place, column] = 3.3 + place
    hidden = pl.concat([hidden, copies])
    assert check_of(public, hidden, "near_duplicates").count == 0
    found = check_of(public, hidden)
    assert (found.outcome, found.count) == (Outcome.FAIL, 40)


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(4))
def test_clean_rows_raise_no_alarm_however_coarse_they_are(seed):
    assert check_of(sensors(800, seed), sensors(800, 50 + seed)).count == 0
    rare = (pl.col("^x.*$") > 1.2).cast(pl.Float64)
    cause = pl.when(pl.col("x0") > 0).then(pl.lit("wear")).otherwise(pl.lit("heat"))
    coarse = [sensors(800, number, 30).with_columns(rare, cause=cause) for number in (seed, 50 + seed)]
    twins = similar_twins(*coarse, [f"x{place}" for place in range(30)], scenario_of(coarse[0]))
    assert twins.chance > twins.count / 2, "columns that are shuffled apart give as many"
    found = check_of(*coarse)
    assert found.count > 100
    assert found.outcome is Outcome.PASS


def test_few_cells_are_not_compared():
    public, hidden = sensors(100, 1, 8), sensors(100, 2, 8)
    features = [f"x{place}" for place in range(8)]
    assert similar_twins(public, hidden, features, scenario_of(public)) is None
    assert check_of(public, hidden).outcome is Outcome.PASS


@pytest.mark.prove
def test_a_million_texts_are_compared_in_bounded_time_and_memory():
    draw = np.random.default_rng(0)
    chosen = WORDS[draw.integers(0, len(WORDS), (1_000_000, 50))]
    frame = pl.DataFrame({"report": [" ".join(row) for row in chosen]})
    frame = frame.with_columns(cause=pl.Series(draw.choice(["wear", "heat"], 1_000_000)))
    del chosen
    public, hidden = frame.head(500_000), frame.tail(500_000)
    copies = public.head(20_000).with_columns(report=pl.col("report") + " again")
    hidden = pl.concat([hidden.head(480_000), copies])
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    found = check_of(public, hidden)
    assert (found.outcome, found.count) == (Outcome.FAIL, 20_000)
    took, more = time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(f"{took:.0f} s of the processor, {more // 1024} MB more")
    assert took < 600
    assert more < 3 << 20  # KiB
