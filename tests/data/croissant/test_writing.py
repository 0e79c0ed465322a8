"""What anybody may read of a dataset, and what must not be in it."""

import json

import pytest

from pilotbase.data.croissant.findings import FieldStatistics, Measured, Measurement
from pilotbase.data.croissant.vocabulary import CROISSANT, PROFILE, RESPONSIBLE_USE, WITHHELD
from pilotbase.data.croissant.writing import write_croissant
from pilotbase.documents.errors import InputError
from tests.data.croissant.datasets_for_tests import COMPLETE, complete, read

COMMITMENT = "sha256:" + "c" * 64
CLOSED_FILE = {**COMPLETE["distribution"][0], "commitment": COMMITMENT, "contentUrl": "/srv/secret/pumps.csv"}


def texts(value):
    return json.dumps(value, ensure_ascii=False)


def test_a_closed_dataset_tells_neither_hash_nor_place_of_its_files():
    dataset = complete(opening="compute_to_data", distribution=[CLOSED_FILE])
    written = write_croissant(dataset)
    assert "a" * 64 not in texts(written) and "/srv/secret" not in texts(written)
    (file,) = written["distribution"]
    assert (file["pb:commitment"], file["contentUrl"], written["isLiveDataset"]) == (COMMITMENT, WITHHELD, True)
    found = read(written)
    assert (found.faults, found.lacking) == ((), ())
    assert found.require().live is False


@pytest.mark.parametrize("opening", ["compute_to_data", "on_terms"])
def test_a_dataset_that_is_not_open_with_records_in_its_description_is_not_written(opening):
    spelled = {**complete().record_sets[0].to_json_value(), "inline": '[{"pump": "p1"}]'}
    with pytest.raises(InputError) as caught:
        write_croissant(complete(opening=opening, recordSet=[spelled]))
    assert caught.value.code == "croissant.closed_inline" and "p1" not in caught.value.render()


def test_a_closed_file_without_a_commitment_does_not_conform():
    written = write_croissant(complete(opening="compute_to_data"))
    assert written["conformsTo"] == [CROISSANT, RESPONSIBLE_USE]
    assert [issue.path for issue in read(written).lacking] == ["/distribution/0/commitment"]


@pytest.mark.parametrize("change", [{"license": "ask us"}, {"usageInfo": None}, {"url": None}, {"creator": []}])
def test_a_draft_does_not_say_that_it_conforms(change):
    assert PROFILE not in write_croissant(complete(**change))["conformsTo"]
    assert PROFILE in write_croissant(complete())["conformsTo"]


def test_an_offer_is_of_one_type_and_names_its_target_as_a_text():
    offer = write_croissant(complete())["usageInfo"]
    assert offer["@type"] == "odrl:Offer"
    assert (offer["odrl:target"], offer["odrl:assigner"]) == ("dataset:plant/pumps", "plant")


def test_a_measurement_stands_in_its_target_and_refers_to_nothing():
    measurements = [
        Measurement("completeness", 0.98, numerator=98, denominator=100, method="pb-1.0"),
        Measurement("uniqueness", 1.0, "readings"),
        Measurement("feature-completeness", 0.5, "readings", "state"),
    ]
    written = write_croissant(complete(), Measured(measurements))
    record_set = written["recordSet"][0]
    placed = [one["dqv:hasQualityMeasurement"] for one in (written, record_set, record_set["field"][3])]
    assert [one["dqv:value"] for one in placed] == [0.98, 1.0, 0.5]
    assert placed[0]["pb:numerator"] == 98 and placed[0]["@type"] == "dqv:QualityMeasurement"
    assert "@id" not in texts(placed)


def test_the_number_of_records_is_an_annotation_as_croissant_shows_it():
    assert write_croissant(complete())["recordSet"][0]["annotation"] | {"@id": ""} == {
        "@type": "cr:Field",
        "@id": "",
        "name": "rows",
        "value": 12,
        "dataType": "wd:Q4049983",
    }


def test_records_in_a_description_go_by_the_ids_of_their_fields():
    record_set = {
        "name": "sides",
        "dataType": ["sc:Enumeration"],
        "key": ["名 称"],
        "field": [{"name": "名 称", "dataType": "sc:Text"}],
        "inline": '[{"名 称": "左"}]',
    }
    dataset = complete(recordSet=[record_set])
    written = write_croissant(dataset)
    assert written["recordSet"][0]["data"] == [{"sides/名%20称": "左"}]
    assert read(written).require() == dataset
    for bad in ("no JSON", '["x"]', '[{"other": 1}]', "7"):
        with pytest.raises(InputError, match="sides"):
            write_croissant(complete(recordSet=[{**record_set, "inline": bad}]))


def test_statistics_of_a_field_are_its_annotations():
    statistics = [FieldStatistics("readings", "流量 (m³/h)", mean=12.5, minimum=0.0, maximum=890.0)]
    field = write_croissant(complete(), Measured(statistics=statistics))["recordSet"][0]["field"][2]
    told = {one["name"]: (one["value"], one.get("equivalentProperty")) for one in field["annotation"]}
    assert told == {"mean": (12.5, None), "maximum": (890.0, "sc:maxValue"), "minimum": (0.0, "sc:minValue")}
