"""The quality of labels: planted disagreements are counted exactly, and what is not measured is never shown as 1."""

from typing import get_args

import numpy as np
import pytest

from pilotbase.data.labelling.final_labels import Decided, final_labels
from pilotbase.data.labelling.label_tables import LeftOut
from pilotbase.data.labelling.quality import label_quality, quality_lines
from pilotbase.documents.quality import FigureName, LabelAudit, LabelFigure, Unmeasured
from pilotbase.documents.texts import LANGUAGES, template

CLASSES = ["cat", "dog", "bird"]


def figures(quality):
    return {figure.measure: figure for figure in quality.figures}


@pytest.mark.parametrize("planted", [0, 1, 7, 40])
def test_planted_disagreements_are_counted_exactly(campaign, gathered, planted):
    first = [CLASSES[item % 3] for item in range(60)]
    second = [CLASSES[(item + (item < planted)) % 3] for item in range(60)]
    quality = label_quality(campaign(), gathered(first, second))
    assert (quality.items, quality.labels, quality.double_labelled) == (60, 120, 60)
    assert (quality.disagreements, quality.undecided) == (planted, planted)
    assert figures(quality)["raw_agreement"].value == (60 - planted) / 60
    confused = {(pair.first, pair.second): pair.pairs for pair in quality.confusion}
    met = [frozenset(pair) for pair in zip(first, second, strict=True)]
    assert confused == {
        (one, other): count
        for place, one in enumerate(CLASSES)
        for other in CLASSES[place:]
        if (count := met.count(frozenset((one, other))))
    }
    assert sum(confused.values()) == 60


def test_agreement_on_one_class_is_how_often_its_labels_meet(campaign, gathered):
    quality = label_quality(campaign(), gathered(["cat", "cat", "cat", "dog"], ["cat", "cat", "dog", "dog"]))
    by_class = {one.label: (one.labels, one.value) for one in quality.by_class}
    assert by_class["cat"] == (5, pytest.approx(4 / 5))
    assert by_class["dog"] == (3, pytest.approx(2 / 3))
    assert by_class["bird"] == (0, None)


def test_any_number_of_annotators_with_labels_missing(campaign, gathered):
    columns = ["cat", "cat", "dog", None], ["cat", "dog", None, None], [None, "dog", "dog", "bird"]
    three = campaign(annotators=[{"name": name} for name in ("a1", "a2", "a3")])
    quality = label_quality(three, gathered(*columns))
    assert (quality.items, quality.labels, quality.double_labelled, quality.disagreements) == (4, 8, 3, 1)
    assert figures(quality)["cohen_kappa"].unmeasured == "not_two_annotators"
    # Seven labels are paired, three cats and four dogs; of the second item four ordered pairs differ, among three.
    assert figures(quality)["krippendorff_alpha"].value == pytest.approx(1 - (7 - 1) * (4 / 2) / (2 * 3 * 4))


def test_one_class_only_is_not_measured_and_never_one(campaign, gathered):
    quality = label_quality(campaign(), gathered(["cat"] * 30, ["cat"] * 30))
    for measure in ("cohen_kappa", "krippendorff_alpha"):
        assert figures(quality)[measure].value is None
        assert figures(quality)[measure].unmeasured == "one_class"


def test_without_items_that_two_have_labelled_nothing_is_measured(campaign, gathered):
    for columns in ((["cat", None], [None, "dog"]), (["cat"], ["cat"])):
        found = figures(label_quality(campaign(), gathered(*columns)))
        assert {found[name].unmeasured for name in ("cohen_kappa", "krippendorff_alpha")} == {"too_few_items"}
        assert found["label_accuracy"].unmeasured == "not_audited"


def test_no_disagreement_among_few_items_is_no_certainty(campaign, gathered):
    labels = ["cat", "dog"] * 10
    for measure in ("cohen_kappa", "krippendorff_alpha"):
        figure = figures(label_quality(campaign(), gathered(labels, labels)))[measure]
        assert figure.value == figure.upper == 1
        assert figure.lower == pytest.approx(0.68, abs=0.01)


def test_how_far_apart_labels_would_be_is_not_known_where_none_differ(campaign, gathered):
    numbers = [str(number) for number in range(20)]
    scales = ({"scale": "interval", "classes": []}, numbers), ({"scale": "ordinal", "classes": numbers}, numbers)
    for parts, labels in scales:
        figure = figures(label_quality(campaign(**parts), gathered(labels, labels)))["krippendorff_alpha"]
        assert (figure.value, figure.lower, figure.unmeasured) == (1, None, "no_disagreement")


def test_numbers_within_the_tolerance_agree(campaign, gathered):
    numbers = campaign(scale="interval", classes=[], tolerance=0.5)
    quality = label_quality(numbers, gathered(["1", "2.0", "3", "9"], ["1.5", "2", "3.6", "9"]))
    assert quality.disagreements == 1
    assert figures(quality)["cohen_kappa"].unmeasured == "numbers"
    assert 0.9 < figures(quality)["krippendorff_alpha"].value < 1


def test_where_the_zero_of_a_scale_lies_changes_nothing(campaign, gathered):
    generator = np.random.default_rng(1)
    truth = generator.normal(size=40)
    columns = [truth + generator.normal(scale=0.3, size=40) for _ in range(2)]
    numbers = campaign(scale="interval", classes=[])
    near, far = (
        figures(label_quality(numbers, gathered(*([repr(float(x + shift)) for x in column] for column in columns))))
        for shift in (0, 1e6)
    )
    assert near["krippendorff_alpha"].value == pytest.approx(far["krippendorff_alpha"].value, abs=1e-6)


def test_the_order_of_classes_counts_on_an_ordinal_scale(campaign, gathered):
    first, near, far = ["low", "mid", "high"] * 10, ["low", "mid", "mid"] * 10, ["low", "mid", "low"] * 10
    ordinal = campaign(scale="ordinal", classes=["low", "mid", "high"])
    by_one, by_two = (
        figures(label_quality(ordinal, gathered(first, other)))["krippendorff_alpha"].value for other in (near, far)
    )
    assert by_two < by_one


def test_agreement_is_that_before_anything_was_decided(campaign, gathered):
    found = gathered(["cat", "dog"] * 10, ["cat", "cat"] * 10)
    items = final_labels(campaign(), found, {"i1": Decided("dog", "It barks."), "i3": Decided("dog", "It barks.")})
    quality = label_quality(campaign(), found, items, LabelAudit(audited=100, correct=96))
    assert (quality.disagreements, quality.adjudicated, quality.undecided) == (10, 2, 8)
    assert figures(quality)["raw_agreement"] == figures(label_quality(campaign(), found))["raw_agreement"]
    accuracy = figures(quality)["label_accuracy"]
    assert (accuracy.value, accuracy.lower, accuracy.upper) == pytest.approx((0.96, 0.9016, 0.9843), abs=1e-4)
    statement = quality.statement()
    assert statement.audit == LabelAudit(audited=100, correct=96)
    assert statement.quality == quality.digest()


def test_the_same_labels_give_the_same_document(campaign, gathered):
    columns = ["cat", "dog", "dog"] * 9, ["cat", "dog", "bird"] * 9
    assert label_quality(campaign(), gathered(*columns)) == label_quality(campaign(), gathered(*columns))


def test_every_line_is_there_in_both_languages(campaign, gathered):
    quality = label_quality(campaign(), gathered(["cat", "dog"] * 9, ["cat", "bird"] * 9))
    for language in LANGUAGES:
        said = [line.render(language) for line in quality_lines(quality)]
        assert any("dog" in line and "bird" in line for line in said)
        assert len(said) == 1 + 4 + 3 + 1


def test_a_figure_out_of_order_is_no_figure():
    with pytest.raises(ValueError, match="not in this order"):
        LabelFigure(measure="cohen_kappa", items=9, value=0.9, lower=0.95, upper=1)
    with pytest.raises(ValueError, match="two bounds"):
        LabelFigure(measure="cohen_kappa", items=9, value=0.9, lower=0.5)
    with pytest.raises(ValueError, match="cannot come from"):
        LabelAudit(audited=9, correct=10)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("kind", "words"), [("unmeasured", Unmeasured), ("figure", FigureName), ("left_out", LeftOut)])
def test_every_word_has_its_text(language, kind, words):
    said = [template(f"labelling.{kind}.{word}", language) for word in get_args(words)]
    assert len(set(said)) == len(said)
