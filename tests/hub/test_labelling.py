"""A labelling round on a hub: two label blind, a third decides, agreement is stated, and nobody else sees an item."""

import itertools
import json
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from pilotbase.documents.labelling import KeptItems, PublishedLabels
from pilotbase.documents.subjects import labels_head
from pilotbase.trial.design_findings import label_findings, published_statement
from pilotbase.worker.reactions.noticing import Noticing, Ways
from pilotbase.workspace.uses import uses_of
from tests.catalogue.agreements_for_tests import DATASET
from tests.catalogue.records_for_tests import MACHINE, OWNER, SUPPLIER, VISITOR, scenario
from tests.hub.closed_for_tests import keep_closed, work
from tests.hub.worlds_for_tests import _person

OPEN = "/api/datasets/plant/logs/labelling"
ITEMS = 16
PEOPLE = ("ann", "ben", "judge", "chief")
ROUND = {
    "name": "defects",
    "guideline_version": "1.2",
    "guideline": "A run has failed where <b>torque</b> is high.",
    "classes": ["fine", "broken"],
    "items": ITEMS,
    "shown": ["kind", "torque", "wear"],
    "annotators": [
        {"organisation": "plant", "person": "p-ann", "account": "7"},
        {"organisation": "plant", "person": "p-ben", "account": "8"},
    ],
    "adjudicator": {"organisation": "plant", "person": "p-judge"},
}


@pytest.fixture(scope="module")
def world(one_world, tmp_path_factory):
    keep_closed(one_world, tmp_path_factory.mktemp("labels"))
    for name in PEOPLE:
        one_world.people[name] = _person(name, "plant", "demand_owner")
    return one_world


def post(world, who, address, body=None):
    return world.client(who).post(address, body or {}, content_type="application/json")


def get(world, who, address, language="en"):
    return world.client(who).get(address, headers={"Accept-Language": language})


def sheet(world, who, place):
    return get(world, who, f"{place}/sheet").json()


def label_all(world, who, place, label_of):
    """Label item after item, as the sheet gives them."""
    while (item := sheet(world, who, place)["item"]) is not None:
        given = {"item": item["item"], "label": label_of(item), "reason": "The higher torque counts."}
        assert post(world, who, f"{place}/labels", given).status_code == 200


def by_torque(item):
    torque = item["fields"]["torque"]
    return "broken" if torque not in ("", "NaN") and float(torque) > 50.0 else "fine"


def now_and_then_otherwise():
    """Label as `by_torque` does but every fourth item, whichever items were drawn."""
    seen = itertools.count(1)

    def label(item):
        usual = by_torque(item)
        return {"broken": "fine", "fine": "broken"}[usual] if next(seen) % 4 == 0 else usual

    return label


def blobs():
    from pilotbase.hub.base import base

    return base().lab.vault.blobs


def sealed():
    from pilotbase.hub.base import base

    return [stored.load(KeptItems) for stored in base().lab.view.find("labelling-items", limit=100)]


def items_kept():
    return [one.blob for one in sealed()]


@pytest.fixture(scope="module")
def opened(world):
    made = post(world, "chief", OPEN, ROUND)
    assert made.status_code == 201, made.content
    place = made["Location"]
    assert get(world, "chief", place).json()["stage"] == "preparing"
    assert work() == [("label_items", "done")]
    return place


@pytest.fixture(scope="module")
def labelled_by_ann(world, opened):
    label_all(world, "ann", opened, by_torque)


@pytest.fixture(scope="module")
def closed(world, opened, labelled_by_ann):
    """Ask for what each test needs of the round: another process may have done what stands above it."""
    label_all(world, "ben", opened, now_and_then_otherwise())
    assert post(world, "supplier", f"{opened}/close").status_code == 404
    assert post(world, "chief", f"{opened}/close").status_code == 200
    assert work() == [("label_close", "done")]


@pytest.fixture(scope="module")
def decided(world, opened, closed):
    label_all(world, "judge", opened, by_torque)
    assert get(world, "chief", opened).json()["stage"] == "decided"


@pytest.fixture(scope="module")
def kept_before(world, opened, decided):
    """Publish the round; return the items that it kept until then."""
    kept = items_kept()
    assert len(kept) == 3 and all(map(blobs().exists, kept))
    assert post(world, "chief", f"{opened}/publish").status_code == 200
    return kept


def test_only_the_owner_opens_a_round_and_people_must_be_three(world):
    for who in ("supplier", "other-owner", "desk"):
        assert post(world, who, OPEN, ROUND).status_code == 403, who
    twice = {**ROUND, "adjudicator": ROUND["annotators"][0]}
    assert post(world, "chief", OPEN, twice).json()["code"] == "labelling.one_person_twice"
    stranger = {**ROUND, "adjudicator": {"organisation": "plant", "person": "p-nobody"}}
    assert post(world, "chief", OPEN, stranger).json()["code"] == "labelling.not_a_member"


def test_closed_items_are_shown_to_people_of_their_owner_alone(world):
    outside = {**ROUND, "adjudicator": {"organisation": "acme", "person": "p-supplier"}}
    assert post(world, "chief", OPEN, outside).json()["code"] == "terms.refused"


@pytest.mark.prove
def test_an_item_is_shown_to_whoever_labels_it_and_to_nobody_else(world, opened):
    page = "/labelling/" + opened.rpartition("/")[2] + "/"
    one = sheet(world, "ann", opened)["item"]
    assert set(one["fields"]) == {"kind", "torque", "wear"} and one["of"] == ITEMS
    shown = get(world, "ann", page).content.decode()
    assert one["item"] in shown and "accesskey" in shown and "&lt;b&gt;torque" in shown
    assert "标注规范" in get(world, "ann", page, "zh").content.decode()
    for who, status in (("supplier", 404), ("other-owner", 404), ("reviewer", 404), ("desk", 403), ("chief", 403)):
        assert get(world, who, f"{opened}/sheet").status_code == status, who
    for who in ("chief", "owner", "desk", "regulator", "judge"):
        assert one["item"] not in get(world, who, page).content.decode(), who
    orders = {items.labeller: items.order for items in sealed()}
    assert orders["a1"] != orders["a2"], "each has an order of their own, which may begin alike"
    assert sorted(orders["a1"]) == sorted(orders["a2"]) and len(orders["a1"]) == ITEMS
    assert one["item"] == orders["a1"][0] and sheet(world, "ben", opened)["item"]["item"] == orders["a2"][0]
    used = [one for one in uses_of(world.trial.store.as_actor(MACHINE), DATASET) if one.purpose == "pb:labelling"]
    assert [(one.organisation, one.person, one.rows) for one in used] == [
        ("plant", "p-ben", ITEMS),
        ("plant", "p-ann", ITEMS),
    ]
    from pilotbase.hub.base import base

    told = [one for one in base().lab.view.log_entries(limit=10_000) if one.action == "labelling.item_shown"]
    assert {one.facts["labeller"] for one in told} == {"a1", "a2"}


def test_who_is_to_label_is_told_and_finds_it_in_their_work(world, opened):
    from pilotbase.hub.base import base

    noticing, page = Noticing(base(), Ways()), "/labelling/" + opened.rpartition("/")[2] + "/"
    while noticing.tell_changes():
        pass
    for who in ("ann", "ben", "judge", "chief", "supplier"):
        told = [one["said"] for one in get(world, who, "/api/notices").json()["items"] if one["kind"] == "asked"]
        work_page = get(world, who, "/work/").content.decode()
        asked = who in ("ann", "ben")
        assert told == (["Items of defects are waiting for your labels"] if asked else []), who
        assert (f'href="{page}">Items of defects are waiting for your labels' in work_page) is asked, who
    assert "defects 有条目等待您标注" in get(world, "ann", "/work/", "zh").content.decode()


def test_annotators_are_blind_to_each_other_until_all_is_decided(world, opened, labelled_by_ann):
    assert sheet(world, "ann", opened)["item"] is None
    left = get(world, "ann", "/work/").content.decode().partition('id="inbox"')[2].partition("<h2>")[0]
    assert "waiting for your labels" not in left, "all is labelled"
    for who in (OWNER, SUPPLIER, VISITOR):
        assert world.trial.store.as_actor(who).find("hub-label") == [], "a label is a document of the base alone"
    first = sheet(world, "ben", opened)["item"]
    assert (first["given"], first["differing"]) == (None, [])
    assert get(world, "ann", opened).json()["progress"] == {"a1": ITEMS, "a2": 0, "judge": 0}
    assert get(world, "chief", f"{opened}/items").status_code == 409
    assert post(world, "ben", f"{opened}/labels", {"item": "M9", "label": "fine"}).status_code == 403
    wrong = {"item": first["item"], "label": "sound"}
    assert post(world, "ben", f"{opened}/labels", wrong).json()["code"] == "labelling.other_label"


def export(labels):
    annotations = [
        {"completed_by": 8, "result": [{"from_name": "c", "type": "choices", "value": {"choices": [label]}}]}
        for _, label in labels
    ]
    return [
        {"id": place, "data": {"item": item}, "annotations": [one]}
        for place, ((item, _), one) in enumerate(zip(labels, annotations, strict=True))
    ]


def sent(world, opened, tasks):
    page = "/labelling/" + opened.rpartition("/")[2] + "/"
    file = SimpleUploadedFile("export.json", json.dumps(tasks).encode())
    return world.client("chief").post(page, {"does": "import", "file": file})


@pytest.mark.prove
def test_an_export_of_label_studio_is_taken_whole_or_not_at_all(world, opened, labelled_by_ann):
    item = sheet(world, "ben", opened)["item"]
    assert sent(world, opened, export([(item["item"], by_torque(item)), ("M9", "fine")])).status_code == 302
    assert work() == [("label_import", "failed")]
    told = get(world, "chief", opened).json()
    assert told["progress"]["a2"] == 0 and "M9" in told["reason"]
    assert sent(world, opened, export([(item["item"], by_torque(item))])).status_code == 302
    assert work() == [("label_import", "done")]
    assert get(world, "chief", opened).json()["progress"]["a2"] == 1


@pytest.mark.prove
def test_who_decides_sees_disagreements_alone_without_names(world, opened, closed):
    mine = sheet(world, "judge", opened)
    assert 0 < mine["of"] < ITEMS and sorted(mine["item"]["differing"]) == ["broken", "fine"]
    page = get(world, "judge", "/labelling/" + opened.rpartition("/")[2] + "/").content.decode()
    shown = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page.split("<main")[-1])
    assert "p-ann" not in page and not re.search(r"\ba1\b", shown)
    assert get(world, "judge", f"{opened}/items").status_code == 403
    assert post(world, "ann", f"{opened}/labels", {"item": mine["item"]["item"], "label": "fine"}).status_code == 409
    silent = {"item": mine["item"]["item"], "label": "fine"}
    assert post(world, "judge", f"{opened}/labels", silent).json()["code"] == "labelling.no_reason_given"
    assert post(world, "chief", f"{opened}/publish").status_code == 409


def test_agreement_is_stated(world, opened, decided):
    told = get(world, "chief", opened).json()["quality"]
    figure = next(one for one in told["figures"] if one["measure"] == "krippendorff_alpha")
    assert told["double_labelled"] == ITEMS and figure["lower"] < figure["value"] < figure["upper"]
    owners = get(world, "chief", "/labelling/" + opened.rpartition("/")[2] + "/").content.decode()
    assert "labels: {&quot;guideline&quot;: &quot;1.2&quot;" in owners
    items = get(world, "chief", f"{opened}/items").json()["items"]
    assert {one["how"] for one in items} == {"agreed", "decided"}


def test_trials_say_how_far_people_agreed(world, opened, kept_before):
    told = get(world, "chief", opened).json()["quality"]
    figure = next(one for one in told["figures"] if one["measure"] == "krippendorff_alpha")
    assert not any(map(blobs().exists, kept_before)), "the round is over: nobody is shown an item any more"
    page = get(world, None, "/datasets/plant/logs/").content.decode()
    assert "guideline 1.2" in page and "M0" not in re.sub(r'value="[^"]*"', "", page)  # tokens hold any letters
    view = world.trial.store.as_actor(MACHINE)
    statement = view.load(view.head(labels_head(DATASET)), PublishedLabels).statement
    silent = scenario(())
    data = silent.data.model_copy(update={"dataset": DATASET, "labels": None})
    on_it = silent.model_copy(update={"data": data})
    assert published_statement(view, on_it) == statement
    assert published_statement(view, silent) is None
    said = {one.check: one.sentence.render("en") for one in label_findings(on_it, statement)}
    assert f"{figure['value']:.3f}" in said["label_agreement"]


def test_an_owner_opens_a_round_on_a_page_and_wrong_classes_are_told_there(world):
    page = "/datasets/plant/logs/labelling/"
    form = {
        "name": "by-hand",
        "items": 3,
        "guideline_version": "1.3",
        "guideline": "Look at\r\nthe torque.",
        "scale": "nominal",
        "classes": "fine\nbroken",
        "first": "p-ann",
        "second": "p-ben",
        "judge": "p-judge",
        "first_account": "7",
    }
    wrong = world.client("chief").post(page, {**form, "classes": "fine"}).content.decode()
    assert 'id="id_classes_error"' in wrong and "Look at" in wrong
    made = world.client("chief").post(page, form)
    assert made.status_code == 302
    told = get(world, "chief", f"/api{made['Location'].rstrip('/')}").json()
    assert (told["name"], told["dataset"], told["classes"]) == ("by-hand", DATASET, ["fine", "broken"])
    assert "the torque." in get(world, "ann", made["Location"]).content.decode()
    assert work() == [("label_items", "done")]


def test_items_go_with_the_files_they_were_drawn_from_and_labels_stand(world, kept_before):
    place = post(world, "chief", OPEN, {**ROUND, "name": "again"})["Location"]
    assert work() == [("label_items", "done")]
    item = sheet(world, "ann", place)["item"]["item"]
    assert post(world, "ann", f"{place}/labels", {"item": item, "label": "fine"}).status_code == 200
    assert world.client("chief").delete("/api/datasets/plant/logs/files").status_code == 200
    assert not any(map(blobs().exists, items_kept()))
    gone = sheet(world, "ann", place)
    assert (gone["item"], gone["done"]) == (None, 1)
    assert get(world, "ann", f"{place}/sheet?item={item}").status_code == 404
    refused = post(world, "ann", f"{place}/labels", {"item": item, "label": "broken"})
    assert (refused.status_code, refused.json()["code"]) == (409, "labelling.items_erased")
    page = "/labelling/" + place.rpartition("/")[2] + "/"
    assert "The items of this round were erased" in get(world, "ann", page).content.decode()
    assert "该轮次的条目已删除" in get(world, "ann", page, "zh").content.decode()
    from pilotbase.hub.base import base

    erased = [one for one in base().lab.view.log_entries(limit=10_000) if one.action == "labelling.items_erased"]
    assert len(erased) == 7, "three of the round before, two of this one, two of the round opened on a page"
