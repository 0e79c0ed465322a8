"""The picture of a load test: both lines, gaps where nothing was answered, nothing of one block."""

from xml.etree import ElementTree

from pilotbase.charts.latency import load_blocks_chart
from pilotbase.documents.probes import LoadBlock, LoadFigures


def figures(*blocks):
    told = tuple(LoadBlock(requests=10, p50=p50, p99=p99) for p50, p99 in blocks)
    return LoadFigures(requests=10 * len(told), unanswered=0, throughput=10, blocks=told, p50=0.01, p99=0.2)


def lines(svg):
    found = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}polyline")
    return [(line.get("stroke-dasharray"), len(line.get("points").split())) for line in found]


def test_medians_and_tails_are_two_lines_told_apart_not_by_colour_alone():
    svg = load_blocks_chart(figures((0.01, 0.1), (0.02, 0.2), (0.01, 0.15)), "en")
    assert [drawn for drawn in lines(svg) if drawn[1] == 3] == [("4 3", 3), (None, 3)]
    assert "p50 10 ms; p99 200 ms" in svg
    assert "时间段" in load_blocks_chart(figures((0.01, 0.1), (0.02, 0.2)), "zh")


def test_where_nothing_was_answered_the_line_is_broken():
    svg = load_blocks_chart(figures((0.01, 0.1), (0.01, None), (None, None), (0.01, 0.1), (0.01, 0.1)), "en")
    assert sorted(count for dashes, count in lines(svg) if dashes is None)[-2:] == [2, 2]


def test_one_block_and_none_answered_are_no_picture():
    assert load_blocks_chart(figures((0.01, 0.1)), "en") == ""
    assert load_blocks_chart(figures((None, None), (None, None)), "en") == ""
