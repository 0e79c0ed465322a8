"""Pictures of shared pools: what is borrowed is told by shape, word and number, whoever looks and in which language."""

from xml.etree import ElementTree

import pytest

from pilotbase_estate.charts.usage_bands import MOST_BANDS, PoolBar, Promise, UsageBand, pool_chart, usage_chart

SVG = "{http://www.w3.org/2000/svg}"
BARS = (PoolBar("Plant", 1.0, 0.7, None, "10"), PoolBar("Lab <b>", 0.2, 0.3, 0.6, "2"))


def words(svg):
    return [one.text for one in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_what_is_borrowed_is_hollow_and_said():
    for language, plant, lab in (("en", "100 % · borrowed 30 %", "20 %"), ("zh", "100% · 借用 30%", "20%")):
        svg = pool_chart(BARS, "cpu", language)
        assert plant in words(svg) and lab in words(svg) and "Lab <b>" in words(svg)
    hollow = [one for one in ElementTree.fromstring(svg).iter(f"{SVG}rect") if one.get("stroke")]
    assert len(hollow) == 2, "one of the plant's, one of the legend"


def test_who_is_promised_nothing_has_no_mark_of_a_guarantee():
    def marks(bars):
        svg = pool_chart(bars, "cpu", "en")
        lines = [one for one in ElementTree.fromstring(svg).iter(f"{SVG}line") if one.get("stroke-width") == "3"]
        return len(lines), "guarantee" in words(svg), svg

    promised, bare = BARS[0], PoolBar("Guest", 0.1, 0.0, None, "1")
    assert marks([promised])[:2] == (2, True), "one of the plant's, one of the legend"
    assert marks([promised, bare])[:2] == (2, True)
    many, named, svg = marks([bare])
    assert (many, named) == (0, False) and "Guest: 1 (10 %), borrowed 10 %" in svg


def test_usage_is_stacked_with_the_guarantee_of_the_lowest():
    bands = [UsageBand("Plant", (0.7, 1.0)), UsageBand("Lab", (0.3, 0.0))]
    svg = usage_chart(bands, 0.0, 7200.0, "Usage", "en", Promise("Guarantee of Plant 70 %", 0.7))
    assert {"A", "B", "A  Plant", "B  Lab", "Guarantee of Plant 70 %", "100 %"} <= set(words(svg))
    bars = [one for one in ElementTree.fromstring(svg).iter(f"{SVG}rect") if one.get("width") not in ("12",)]
    plant, lab = bars[0], bars[2]
    assert float(lab.get("y")) + float(lab.get("height")) <= float(plant.get("y")), "the lab stands on the plant"
    assert "Plant: 70 %, 100 %; Lab: 30 %, 0 %" in svg


def test_usage_of_nobody_is_no_picture_and_too_many_bands_are_refused():
    assert usage_chart([], 0.0, 1.0, "Usage", "en") == ""
    with pytest.raises(ValueError, match="bands"):
        usage_chart([UsageBand(str(one), (0.1,)) for one in range(MOST_BANDS + 1)], 0.0, 1.0, "Usage", "en")
