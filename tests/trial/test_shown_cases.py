"""Cases of a rehearsal to look at: the worst first, drawn and compared, and only for who may hold the rows."""

import base64
import io
import json

import numpy as np
import polars as pl
import pytest
from PIL import Image

from pilotbase.charts.boxed_image import png_of
from pilotbase.documents.contract import DataType, Field, Prediction
from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.figures import MOST_CASES, ShownCases, TextPiece
from pilotbase.measures import Cases, coded
from pilotbase.measures.text_pairs import edit_distance
from pilotbase.protocols.array_cells import cell_of
from pilotbase.trial.shown_cases import LONGEST, CaseGallery, pieces_of, read_pixels, shown_cases, striped
from pilotbase.worker.trials.proving import rehearse_in
from tests.trial.test_kinds_of_answers import KINDS, application

NAN = float("nan")


def looked_at(kept, columns, fields, **prediction):
    frame = pl.DataFrame(columns)
    typed = tuple(Field(name=name, data_type=kind) for name, kind in fields)
    made = Prediction(kind=kept.kind, classes=kept.classes, **prediction)
    return CaseGallery(frame, typed, made, kept, coded(kept))


def shown(kept, columns, fields, *rules):
    return shown_cases(looked_at(kept, columns, fields), [parse_rule(rule) for rule in rules])


def texts(*values):
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def test_the_worst_come_first_and_a_few_right_ones_behind_them():
    truth = np.zeros(40)
    answers = np.array([*np.arange(20.0), NAN, *[0.0] * 19])
    found = shown(Cases(truth, answers, kind="value"), {"x": truth}, [("x", DataType.FLOAT)], "capped_mae(cap=9) <= 1")
    assert len(found) == MOST_CASES
    assert [one.number for one in found] == [21, 20, 19, 18, 17, 16, 15, 14, 1, 22, 23, 24]
    assert found[0].result == "none" and found[0].answer is None and found[1].answer == "19"
    assert (found[1].scores[0].rule, found[1].scores[0].value) == ("capped_mae(cap=9)", 9.0)
    assert found[1].result is None, "a number is not right or wrong"


def test_answers_are_spelled_for_people():
    labels = Cases(texts("a|b", "[]"), texts('["b"]', None), classes=("a", "b"), kind="labels")
    none, off = shown(labels, {"note": ["x", "y"]}, [("note", DataType.TEXT)], "label_f1 >= 0.5")
    assert (off.truth, off.answer, off.result) == ("a, b", "b", "differs")
    assert (none.truth, none.answer, none.result) == ("–", None, "none")
    ranking = Cases(texts("z|y"), texts('["x", "y"]'), kind="ranking")
    (one,) = shown(ranking, {"q": ["?"]}, [("q", DataType.TEXT)], "top_k(k=1) >= 0.5")
    assert (one.truth, one.answer, one.result) == ("z › y", "x › y", "differs")
    interval = Cases(np.array([2.0]), np.array([[1.0, 1.5]]), kind="interval")
    (one,) = shown(interval, {"q": [1]}, [("q", DataType.INTEGER)], "interval_coverage >= 0.5")
    assert (one.answer, one.scores[0].value) == ("1 … 1.5", 0.0)
    shares = Cases(np.array([0]), texts('{"no": 0.25, "yes": 0.75}'), classes=("no", "yes"), kind="probabilities")
    (one,) = shown(shares, {"q": [1]}, [("q", DataType.INTEGER)], "brier <= 0.5")
    assert (one.truth, one.answer, one.result, one.scores[0].value) == ("no", "yes 0.75, no 0.25", None, 0.5625)
    label = Cases(np.array([0, 1]), np.array([-1, 1]), classes=("no", "yes"))
    first, second = shown(label, {"q": [None, 1.25]}, [("q", DataType.FLOAT)], "accuracy >= 0.5")
    assert (first.result, first.given[0].value) == ("none", "–") and (second.truth, second.result) == ("yes", "same")


def test_an_answer_that_should_be_a_refusal_is_among_the_worst():
    kept = Cases(texts(None, "a", "a"), texts("sure", "b", "a"), kind="text")
    found = shown(kept, {"q": ["1", "2", "3"]}, [("q", DataType.TEXT)], "exact_match >= 0.5")
    assert [(one.number, one.truth, one.result) for one in found] == [
        (1, None, "differs"), (2, "a", "differs"), (3, "a", "same"),
    ]  # fmt: skip
    assert found[1].pieces == (), "texts are compared letter by letter where a criterion does"


def test_what_a_criterion_takes_for_right_is_as_expected_however_it_is_spelled():
    kept = Cases(texts("Wang", "Wang"), texts("Li", "wang."), kind="text")
    wrong, right = shown(kept, {"q": ["1", "2"]}, [("q", DataType.TEXT)], "normalised_match >= 0.5")
    assert (wrong.answer, wrong.result) == ("Li", "differs") and (right.answer, right.result) == ("wang.", "same")


@pytest.mark.parametrize(
    ("truth", "answer", "pieces"),
    [
        ("kitten", "sitting", [("k", "s"), ("itt", "itt"), ("e", "i"), ("n", "n"), ("", "g")]),
        ("合格", "合格", [("合格", "合格")]),
        ("", "ab", [("", "ab")]),
        ("ab", "", [("ab", "")]),
        ("", "", []),
    ],
)
def test_texts_in_pieces(truth, answer, pieces):
    assert pieces_of(truth, answer) == tuple(TextPiece(truth=one, answer=other) for one, other in pieces)


def test_pieces_are_the_texts_and_differ_by_the_fewest_letters():
    draw = np.random.default_rng(3)
    for _ in range(50):
        one, two = ("".join(draw.choice(list("abc"), size=draw.integers(0, 12))) for _ in range(2))
        found = pieces_of(one, two)
        assert "".join(piece.truth for piece in found) == one and "".join(piece.answer for piece in found) == two
        edits = sum(max(len(piece.truth), len(piece.answer)) for piece in found if piece.truth != piece.answer)
        assert edits == edit_distance(one, two)
    assert len(pieces_of("x" * 10_000, "x" * 10_000)[0].truth) == LONGEST + 1


def test_boxes_are_found_missed_or_false_alarms():
    kept = Cases(
        texts('[["bolt", 0, 0, 10, 10], ["nut", 20, 0, 5, 5]]'),
        texts('[["bolt", 0, 1, 10, 10, 0.9], ["bolt", 0, 0, 10, 2, 0.4]]'),
        classes=("bolt", "nut"),
        kind="boxes",
    )
    image = cell_of(np.full((40, 30, 3), 7, dtype=np.uint8))
    (case,) = shown(kept, {"image": [image]}, [("image", DataType.IMAGE)], "box_recall(iou=0.5) >= 0.5")
    assert [(box.state, box.label, box.score) for box in case.boxes] == [
        ("found", "bolt", 0.9), ("missed", "nut", None), ("false", "bolt", 0.4),
    ]  # fmt: skip
    assert (case.image.height, case.image.width, case.given, case.truth) == (40, 30, (), None)
    assert case.scores[0].value == 0.5


def test_a_mask_is_striped_where_it_differs():
    kept = Cases(
        texts('{"size": [2, 3], "runs": [0, 3, 1, 3]}'),
        texts('{"size": [2, 3], "runs": [0, 4, 1, 2]}'),
        classes=("0", "1"),
        kind="mask",
    )
    (case,) = shown(kept, {"image": [None]}, [("image", DataType.IMAGE)], "pixel_accuracy >= 0.5")
    assert case.differing == 1 and case.scores[0].value == pytest.approx(5 / 6)
    drawn = np.asarray(Image.open(io.BytesIO(base64.b64decode(case.image.png))))
    height, width = drawn.shape[0] // 2, drawn.shape[1] // 3
    squares = drawn.reshape(2, height, 3, width, 3).transpose(0, 2, 1, 3, 4).reshape(6, -1)
    assert [len(np.unique(square)) > 1 for square in squares] == [False, False, False, True, False, False]


def test_pixels_are_encoded_as_others_read_them_and_no_other_cell_is_an_image():
    draw = np.random.default_rng(1)
    for shape in ((3, 5), (4, 2, 3)):
        pixels = draw.integers(0, 256, shape, dtype=np.uint8)
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(png_of(pixels)))), pixels)
    assert read_pixels(cell_of(np.zeros((2, 2, 1), dtype=np.uint8))).shape == (2, 2, 3)
    assert read_pixels(cell_of(np.zeros((2, 2, 4), dtype=np.uint8))).shape == (2, 2, 3)
    for cell in (None, "", "<svg/>", "AAAA", cell_of(np.zeros(9, dtype=np.int16))):
        assert read_pixels(cell) is None
    large = striped(np.zeros((2000, 1000, 3), dtype=np.uint8), np.zeros((2000, 1000), dtype=bool))
    assert max(large.shape) <= 240


def test_a_rehearsal_keeps_its_cases_beside_its_log_and_not_in_its_report(base, tmp_path):
    kind = next(one for one in KINDS if one.kind == "boxes")
    folder = tmp_path / "scenario"
    folder.mkdir()
    rehearsed = rehearse_in(base, kind.write(folder), application(tmp_path, kind.bad, "blind"))
    cases = ShownCases.model_validate_json((rehearsed.folder / "shown-cases.json").read_bytes())
    assert cases.report == rehearsed.report.digest() and len(cases.cases) == MOST_CASES
    assert {box.state for case in cases.cases for box in case.boxes} == {"missed"}
    page = (rehearsed.folder / "report.html").read_text("utf-8")
    assert page.count("<image ") == 2 * MOST_CASES and "img-src data:" in page
    assert "png" not in json.dumps(rehearsed.report.to_json_value())
