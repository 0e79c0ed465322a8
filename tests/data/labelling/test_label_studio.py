"""Exports of Label Studio: what counts as a label, what is left out and said, and every mistake with its place."""

import json
from datetime import UTC, datetime

import pytest

from pilotbase.data.labelling import label_studio
from pilotbase.data.labelling.gathering import Annotation, read_labels
from pilotbase.documents.errors import InputError


def annotation(label, by, **parts):
    entry = {"id": "r1", "from_name": "pet", "to_name": "image", "type": "choices", "value": {"choices": [label]}}
    return {
        "id": 100 + by,
        "completed_by": by,
        "result": [entry],
        "was_cancelled": False,
        "ground_truth": False,
        "created_at": "2026-05-04T09:30:00.125000Z",
        "updated_at": "2026-05-04T09:31:00.125000Z",
        "lead_time": 4.2,
    } | parts


def task(number, *annotations, **parts):
    return {
        "id": number,
        "data": {"image": f"/data/{number}.png", "case": f"case-{number}"},
        "annotations": list(annotations),
        "predictions": [],
        "drafts": [],
    } | parts


def numeric(kind, value, by, **parts):
    entry = {"from_name": kind, "to_name": "image", "type": kind, "value": {kind: value}}
    return annotation("cat", by, result=[entry], **parts)


def told(error):
    return [(issue.path, issue.problem.code) for issue in error.value.issues]


def labels(gathered):
    return [(one.item, one.annotator, one.label) for one in gathered.annotations]


def test_each_annotation_of_a_task_is_a_label_with_its_time(campaign, export):
    found = read_labels(campaign(), [export([task(1, annotation("cat", 7), annotation("dog", 8)), task(2)])])
    at = datetime(2026, 5, 4, 9, 31, 0, 125000, tzinfo=UTC)
    assert found.annotations == (Annotation("1", "a1", "cat", at), Annotation("1", "a2", "dog", at))
    assert found.sources[0].file == "export.json"
    assert found.sources[0].digest.startswith("sha256:")


def test_what_is_no_label_of_an_annotator_is_left_out_and_counted(campaign, export):
    tasks = [
        task(
            1,
            annotation("cat", 7),
            annotation("dog", 8, was_cancelled=True),
            annotation("bird", 8, ground_truth=True),
            predictions=[{"result": [], "score": 0.3}] * 3,
            drafts=[{"result": []}],
        ),
        task(2, annotation("cat", 7, result=[]), annotation("cat", 8, result={}, was_cancelled=True)),
    ]
    found = read_labels(campaign(), [export(tasks)])
    assert labels(found) == [("1", "a1", "cat")]
    assert found.left_out == {"skipped": 2, "ground_truth": 1, "prediction": 3, "draft": 1, "empty": 1}


def test_an_item_may_be_named_by_a_field_of_the_task_and_a_user_by_an_object(campaign, export):
    user = {"id": 8, "email": "someone@example.org", "first_name": "Some", "last_name": "One"}
    tasks = [task(1, annotation("cat", 7), annotation("dog", 8, completed_by=user))]
    found = read_labels(campaign(label_studio={"item": "case"}), [export(tasks)])
    assert labels(found) == [("case-1", "a1", "cat"), ("case-1", "a2", "dog")]
    assert "example.org" not in json.dumps(found.to_json_value())


@pytest.mark.parametrize(
    ("kind", "given", "spelled"), [("number", 3, "3"), ("number", 2.5, "2.5"), ("rating", 4.0, "4")]
)
def test_numbers_and_ratings_are_labels(campaign, export, kind, given, spelled):
    found = read_labels(campaign(scale="interval", classes=[]), [export([task(1, numeric(kind, given, 7))])])
    assert labels(found) == [("1", "a1", spelled)]


def test_of_several_controls_the_campaign_names_one(campaign, export):
    both = annotation("cat", 7)["result"] + numeric("rating", 4, 7)["result"]
    path = export([task(1, annotation("cat", 7, result=both))])
    with pytest.raises(InputError) as error:
        read_labels(campaign(), [path])
    assert told(error) == [("[0].annotations[0].result", "labelling.several_controls")]
    found = read_labels(campaign(label_studio={"control": "pet"}), [path])
    assert labels(found) == [("1", "a1", "cat")]
    assert found.left_out == {"other_control": 1}


def minimal(number, by, value, **parts):
    return {
        "image": f"/data/{number}.png",
        "case": f"case-{number}",
        "id": number,
        "pet": value,
        "annotator": by,
        "annotation_id": by * 100 + number,
        "created_at": "2026-05-04T09:30:00Z",
        "updated_at": "2026-05-04T09:31:00Z",
        "lead_time": 4.2,
    } | parts


def test_json_min_holds_one_annotation_a_record(campaign, export):
    records = [minimal(1, 7, "cat"), minimal(1, 8, [{"choices": ["dog"]}]), minimal(2, 7, None)]
    found = read_labels(campaign(label_studio={"control": "pet", "item": "case"}), [export(records)])
    assert labels(found) == [("case-1", "a1", "cat"), ("case-1", "a2", "dog")]
    assert found.left_out == {"empty": 1}
    rated = [minimal(1, 7, [{"rating": 3}]), minimal(2, 7, [{"number": 2.5}])]
    numbers = campaign(scale="interval", classes=[], label_studio={"control": "pet"})
    assert [one.label for one in read_labels(numbers, [export(rated)]).annotations] == ["3", "2.5"]


def test_several_values_in_a_field_of_json_min_are_no_label(campaign, export):
    records = [minimal(1, 7, ["cat", "dog"]), minimal(2, 7, [{"choices": ["cat", "dog"]}]), minimal(3, 7, True)]
    with pytest.raises(InputError) as error:
        read_labels(campaign(label_studio={"control": "pet"}), [export(records)])
    assert told(error) == [
        ("[0].pet", "labelling.several_labels"),
        ("[1].pet.choices", "labelling.several_labels"),
        ("[2].pet", "labelling.wrong_type"),
    ]


def test_json_min_does_not_say_which_field_is_the_label(campaign, export):
    with pytest.raises(InputError) as error:
        read_labels(campaign(), [export([minimal(1, 7, "cat")])])
    assert told(error) == [("[0]", "labelling.name_control")]
    assert "case, image, pet" in error.value.render()


WRONG = [
    ("[0]", "labelling.wrong_type", "not a task"),
    ("[1]", "labelling.no_annotations", {"id": 1, "data": {}}),
    ("[2].annotations", "labelling.wrong_type", task(3, annotations={})),
    ("[3].annotations[0]", "labelling.wrong_type", task(4, "x")),
    ("[4].annotations[0].was_cancelled", "labelling.wrong_type", task(5, annotation("cat", 7, was_cancelled="no"))),
    ("[5].annotations[0].result", "labelling.wrong_type", task(6, annotation("cat", 7, result="cat"))),
    ("[6].annotations[0].completed_by", "labelling.no_account", task(7, annotation("cat", 7, completed_by=None))),
    ("[7].annotations[0].completed_by", "labelling.wrong_type", task(8, annotation("cat", 7, completed_by=[7]))),
    ("[8].id", "labelling.no_item", task(None, annotation("cat", 7))),
    ("[9].data", "labelling.wrong_type", task(10, annotation("cat", 7), data=[])),
    ("[10].annotations[0].updated_at", "labelling.no_moment", task(11, annotation("cat", 7, updated_at="yesterday"))),
    ("[11].annotations[0].result[0].value.choices", "labelling.several_labels", task(12, annotation("cat", 7, result=[
        {"from_name": "pet", "type": "choices", "value": {"choices": ["cat", "dog"]}}]))),
    ("[12].annotations[0].result", "labelling.no_label_kind", task(13, annotation("cat", 7, result=[
        {"from_name": "box", "type": "rectanglelabels", "value": {"x": 1, "rectanglelabels": ["cat"]}}]))),
    ("[13].annotations[0].result[0]", "labelling.wrong_type", task(14, annotation("cat", 7, result=[3]))),
    ("[14].annotations[0].result[0].value.choices", "labelling.wrong_type", task(15, annotation("cat", 7, result=[
        {"from_name": "pet", "type": "choices", "value": {"choices": [True]}}]))),
    ("[15].annotations[0].result[0].value.choices", "labelling.wrong_type", task(16, annotation("cat", 7, result=[
        {"from_name": "pet", "type": "choices", "value": {"choices": "cat"}}]))),
    ("[16].annotations[0].result[0].value", "labelling.wrong_type", task(17, annotation("cat", 7, result=[
        {"from_name": "pet", "type": "choices", "value": None}]))),
    ("[17].annotations[0]", "labelling.unknown_annotator", task(18, annotation("cat", 9))),
    ("[18].annotations[0]", "labelling.unknown_class", task(19, annotation("brid", 7))),
    ("[19].annotations[1]", "labelling.double_label", task(20, annotation("cat", 7), annotation("dog", 7))),
    ("[20].annotations[0].result", "labelling.several_labels", task(21, annotation("cat", 7, result=[
        *annotation("cat", 7)["result"], *annotation("dog", 7)["result"]]))),
    ("[21].annotations[0].result[0].value.choices", "labelling.wrong_type", task(22, annotation("\ud800", 7))),
]  # fmt: skip


def test_all_mistakes_are_told_at_once_each_with_its_place(campaign, export):
    with pytest.raises(InputError) as error:
        read_labels(campaign(), [export(json.dumps([value for _, _, value in WRONG]))])
    assert sorted(told(error)) == sorted((path, code) for path, code, _ in WRONG)
    said = error.value.render()
    assert f"{len(WRONG)} problems" in said
    assert "did you mean bird?" in said
    assert error.value.render("zh")


def test_a_file_with_one_mistake_gives_no_label_at_all(campaign, export):
    with pytest.raises(InputError):
        read_labels(campaign(), [export([task(1, annotation("cat", 7)), task(2, annotation("cow", 7))])])


def test_of_very_many_mistakes_the_first_are_told_and_the_others_counted(campaign, export):
    with pytest.raises(InputError) as error:
        read_labels(campaign(), [export([task(number, annotation(f"cow{number}", 7)) for number in range(5000)])])
    assert error.value.text.params["count"] == 5000
    assert len(error.value.issues) == 101
    assert error.value.issues[-1].problem.params["count"] == 4900


def test_the_same_file_twice_is_told_not_counted_twice(campaign, export):
    tasks = [task(1, annotation("cat", 7))]
    with pytest.raises(InputError) as error:
        read_labels(campaign(), [export(tasks), export(tasks, "again.json")])
    (issue,) = error.value.issues
    assert (issue.file, issue.problem.code) == ("again.json", "labelling.double_label")
    assert "export.json[0].annotations[0]" in issue.render()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "labelling.no_json"),
        ("[" * 100_000, "labelling.no_json"),
        ('[{"annotations": ' * 60_000, "labelling.no_json"),
        ('[{"id": NaN}]', "labelling.no_json"),
        (f'[{{"id": {"9" * 5000}}}]', "labelling.no_json"),
        ('[{"id": 1, "id": 2}]', "labelling.no_json"),
        ('{"tasks": []}', "labelling.no_task_list"),
        ("[]", "labelling.no_labels"),
    ],
)
def test_what_is_no_export_is_refused_in_words(campaign, export, content, code):
    with pytest.raises(InputError) as error:
        read_labels(campaign(), [export(content)])
    assert error.value.code == code
    assert error.value.render("zh")


def test_a_number_too_large_for_any_label_is_told(campaign, export):
    huge = numeric("number", int("9" * 4000), 7)
    with pytest.raises(InputError) as error:
        read_labels(campaign(scale="interval", classes=[]), [export([task(1, huge)])])
    assert told(error) == [("[0].annotations[0].result[0].value.number", "labelling.wrong_type")]


def test_what_would_fill_the_memory_is_refused_unread(campaign, tmp_path):
    path = tmp_path / "large.json"
    with path.open("wb") as stream:
        stream.truncate(label_studio.MAXIMUM_BYTES + 10)
    with pytest.raises(InputError) as error:
        read_labels(campaign(), [path])
    assert error.value.code == "labelling.file_too_large"
    for empty in (b"[]", b"{}"):
        path.write_bytes(b"[" + (empty + b",") * label_studio.MAXIMUM_NESTED + empty + b"]")
        with pytest.raises(InputError) as error:
            read_labels(campaign(), [path])
        assert error.value.code == "labelling.too_many_parts"


def test_no_latin_export_stops_the_reader(campaign, tmp_path):
    path = tmp_path / "export.json"
    path.write_bytes(json.dumps([task(1, annotation("café", 7))], ensure_ascii=False).encode("latin-1"))
    with pytest.raises(InputError) as error:
        read_labels(campaign(), [path])
    assert error.value.code == "labelling.no_json"
