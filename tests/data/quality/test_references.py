"""What somebody has checked, declared or learned from: measured against it, and not at all without it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pilotbase.data.quality.measuring import ReferenceData, measure_quality
from pilotbase.data.quality.release import inferred_dataset
from pilotbase.documents.dataset import Dataset, FileObject, Provenance, Source
from pilotbase.documents.hashes import digest_file, hex_of
from pilotbase.documents.quality import Fitness, LabelAudit, LabelFigure, LabelStatement, QualityReference
from pilotbase.documents.scenario_data import GroupSplit, HashSplit
from pilotbase.evidence.distributions import wilson
from tests.data.quality.planted_for_tests import clean_table, description, devices, records

ROWS = 400


def written(table: dict, folder: Path, name: str = "records.csv") -> Path:
    pl.DataFrame(table).write_csv(folder / name)
    return folder / name


def report(folder: Path, reference: QualityReference, table: dict | None = None, dataset: Dataset | None = None):
    path = written(table or clean_table(ROWS), folder)
    return measure_quality(dataset or description(), {"records": path}, ReferenceData(reference, folder))


def test_audited_records_give_accuracy_with_an_interval(tmp_path):
    checked = {name: column[:50] for name, column in clean_table(ROWS).items()}
    for row in range(4):
        checked["label"][row] = "bad" if checked["label"][row] == "ok" else "ok"
    for row in range(3):
        checked["pressure"][row] = "-1"
    checked["temperature"] = [f" {float(value)!r}0" for value in checked["temperature"]]
    written(checked, tmp_path, "audited.csv")
    found = report(tmp_path, QualityReference(audited="audited.csv"))
    labels, values = found.measurement("label_accuracy"), found.measurement("semantic_accuracy")
    assert (labels.numerator, labels.denominator, labels.sample) == (46, 50, 50)
    assert (labels.lower, labels.upper) == pytest.approx(wilson(46, 50)[1:])
    assert (values.numerator, values.denominator) == (50 * 9 - 7, 50 * 9)
    assert {one.name: one.numerator for one in values.entries if one.numerator < 50} == {"label": 46, "pressure": 47}
    assert found.measurement("audited_records").value == 50 / ROWS


AGREEMENT = LabelFigure(
    measure="krippendorff_alpha", items=80, value=0.75, lower=0.57, upper=0.88, method="wider_of_two"
)


def test_labels_that_a_campaign_audited_give_accuracy_with_its_interval(tmp_path):
    stated = LabelStatement(guideline="1.2", agreement=AGREEMENT, audit=LabelAudit(audited=400, correct=388))
    found = report(tmp_path, QualityReference(labels=stated)).measurement("label_accuracy")
    assert (found.value, found.numerator, found.denominator, found.sample) == (0.97, 388, 400, 400)
    assert (found.lower, found.upper) == pytest.approx(wilson(388, 400)[1:])
    for language, words in (("en", "guideline 1.2"), ("zh", "标注指南 1.2")):
        assert words in found.reason.render(language) and "0.750 [0.570, 0.880]" in found.reason.render("en")
    checked = {name: column[:50] for name, column in clean_table(ROWS).items()}
    written(checked, tmp_path, "audited.csv")
    both = report(tmp_path, QualityReference(labels=stated, audited="audited.csv")).measurement("label_accuracy")
    assert (both.numerator, both.denominator) == (50, 50), "these very records count before"


def test_agreement_alone_or_a_statement_on_one_of_two_labels_is_no_accuracy(tmp_path):
    stated = LabelStatement(guideline="1.2", agreement=AGREEMENT)
    found = report(tmp_path, QualityReference(labels=stated)).measurement("label_accuracy")
    assert (found.state, found.value) == ("not_measured", None) and "0.750" in found.reason.render("en")
    audited = stated.model_copy(update={"audit": LabelAudit(audited=400, correct=388)})
    fields = tuple(
        one.model_copy(update={"semantic": ("cr:Label",)}) if one.name == "site" else one for one in records().fields
    )
    two = description(record_sets=(records(fields=fields), devices()))
    found = report(tmp_path, QualityReference(labels=audited), dataset=two).measurement("label_accuracy")
    assert found.value is None and "site" in found.reason.render("en")


def test_records_that_are_not_there_are_not_compared(tmp_path):
    checked = {name: column[:10] for name, column in clean_table(ROWS).items()}
    checked["id"] = [f"x{number}" for number in range(9)] + ["r9"]
    written(checked, tmp_path, "audited.csv")
    assert report(tmp_path, QualityReference(audited="audited.csv")).measurement("label_accuracy").denominator == 1


def test_an_audit_without_the_key_is_no_audit(tmp_path):
    written({"label": ["ok"]}, tmp_path, "audited.csv")
    found = report(tmp_path, QualityReference(audited="audited.csv")).measurement("label_accuracy")
    assert (found.state, found.reason.code) == ("not_measured", "quality.reason.audit_lacks_columns")


def test_rows_among_what_was_learned_from_are_leaked(tmp_path):
    learned = {name: column[:25] for name, column in clean_table(ROWS).items()}
    learned["id"] = [f"t{number}" for number in range(25)]
    written(learned, tmp_path, "train.csv")
    found = report(tmp_path, QualityReference(learned_from="train.csv")).measurement("split_leakage")
    assert (found.numerator, found.denominator) == (25, ROWS)


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("changes", "leaked"),
    [
        ({"group": "device"}, {"leaked device": 80}),
        ({"split": HashSplit(by="device")}, {"leaked device": 80}),
        ({"split": GroupSplit(column="site", hidden=("north",))}, {"leaked site": ROWS // 2}),
        ({}, {}),
    ],
)
def test_records_of_a_group_that_was_learned_from_are_counted(tmp_path, changes, leaked):
    learned = {name: column[:2] for name, column in clean_table(2).items()}
    learned["id"], learned["device"], learned["site"] = ["t1", "t2"], ["d4", "d9"], ["south", "elsewhere"]
    written(learned, tmp_path, "train.csv")
    changed = description(record_sets=(records(**changes), devices()))
    found = report(tmp_path, QualityReference(learned_from="train.csv"), dataset=changed).measurement("split_leakage")
    assert {one.name: one.numerator for one in found.entries if one.numerator} == leaked
    assert found.numerator == max(leaked.values(), default=0)


def test_files_are_traceable_where_their_digest_holds_and_their_origin_is_told(tmp_path):
    path = written(clean_table(ROWS), tmp_path)
    fields = tuple(one.model_copy(update={"source": Source(resource="table")}) for one in records().fields)
    right = FileObject(id="table", content_url="records.csv", sha256=hex_of(digest_file(path)))
    told = Provenance(derived_from=("https://example.org/plant",))

    def traced(file: FileObject, provenance: Provenance) -> float | None:
        sets = (records(fields=fields), devices())
        dataset = description(record_sets=sets, distribution=(file,), provenance=provenance)
        return measure_quality(dataset, {"records": path}).measurement("traceability").value

    assert traced(right, told) == 1
    assert traced(right, Provenance()) == 0
    assert traced(right.model_copy(update={"sha256": "0" * 64}), told) == 0


def test_documentation_counts_what_publishing_needs(tmp_path):
    bare = report(tmp_path, QualityReference()).measurement("documentation")
    more = description(license="CC-BY-4.0", url="https://example.org", creator=("plant",))
    fuller = report(tmp_path, QualityReference(), dataset=more).measurement("documentation")
    assert fuller.numerator == bare.numerator + 3
    assert fuller.denominator == bare.denominator


@pytest.mark.parametrize(("shuffled", "value"), [(False, 1.0), (True, 0.5)])
def test_a_simple_model_learns_what_is_there_and_nothing_from_chance(tmp_path, shuffled, value):
    table = clean_table(ROWS)
    kinds = ["ok" if number // 2 % 2 else "bad" for number in range(ROWS)]
    table["age"] = ["60" if kind == "ok" else "20" for kind in kinds]
    table["label"] = list(np.random.default_rng(1).permutation(kinds)) if shuffled else kinds
    found = report(tmp_path, QualityReference(fitness=Fitness(balanced_accuracy=1)), table).measurement("model_fitness")
    assert found.value == pytest.approx(value, abs=0.12 if shuffled else 0.02)
    controls = {one.name: one.value for one in found.entries}
    assert controls["majority"] == 0.5 and controls["shuffled labels"] == pytest.approx(0.5, abs=0.12)


def test_one_split_of_hidden_groups_is_followed_in_the_profile(tmp_path):

    table = clean_table(ROWS)
    table["temperature"] = ["90" if site == "south" else "20" for site in table["site"]]
    split = description(record_sets=(records(split=GroupSplit(column="site", hidden=("south",))), devices()))
    profile = report(tmp_path, QualityReference(), table, split).profiles[0]
    fields = {one.field: one for one in profile.fields}
    assert profile.parts == "hidden"
    assert fields["temperature"].drift > 1 > 0.1 > fields["device"].drift
    assert sum(each.later for each in fields["temperature"].histogram) == ROWS // 2


def test_measures_do_not_depend_on_the_order_of_rows(tmp_path):
    table = clean_table(ROWS)
    table["temperature"][3] = None
    mixed = pl.DataFrame(table).sample(fraction=1, shuffle=True, seed=3).to_dict(as_series=False)
    one, other = (report(tmp_path, QualityReference(), each) for each in (table, mixed))
    assert [replace_rows(found) for found in one.rules] == [replace_rows(found) for found in other.rules]
    assert [found.value for found in one.measurements] == [found.value for found in other.measurements]


def replace_rows(found):
    return found.model_copy(update={"rows": ()})


def test_a_value_that_one_side_lacks_does_not_agree_and_what_both_lack_is_not_compared(tmp_path):
    table = clean_table(ROWS)
    checked = {name: list(column[:10]) for name, column in table.items()}
    table["label"][0], checked["label"][1] = None, None
    table["label"][2] = checked["label"][2] = None
    written(checked, tmp_path, "audited.csv")
    found = report(tmp_path, QualityReference(audited="audited.csv"), table).measurement("label_accuracy")
    assert (found.numerator, found.denominator) == (7, 9)


def test_the_later_half_of_the_time_is_counted_apart(tmp_path):
    profile = report(tmp_path, QualityReference()).profiles[0]
    assert profile.parts == "later_half"
    site = next(one for one in profile.fields if one.field == "site")
    assert [(one.value, one.count, one.later) for one in site.values] == [("north", 200, 100), ("south", 200, 100)]


def test_zero_is_zero_with_either_sign(tmp_path):
    pl.DataFrame({"x": [0.0, -0.0, 1.0]}).write_parquet(path := tmp_path / "zeros.parquet")
    found = measure_quality(inferred_dataset(path), {"zeros": path})
    assert found.measurement("uniqueness").numerator == 2
