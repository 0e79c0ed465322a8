"""JSON of whomever: plain data, and the line of whatever a pointer names."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from pilotbase.documents.json_reader import join_pointer, parse_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


def pointers(value, pointer=""):
    """Every pointer into a value with what stands there, by RFC 6901 alone."""
    yield pointer, value
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in parts:
        yield from pointers(inner, f"{pointer}/{str(step).replace('~', '~0').replace('/', '~1')}")


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(max_size=3), VALUES, max_size=4))
def test_every_place_is_on_the_line_where_it_is_written(value):
    """Written with each value on a line of its own, a place's line holds what begins there."""
    content = json.dumps(value, ensure_ascii=False, indent=0)
    source = parse_json(content.encode(), "a.json")
    assert source.value == value
    lines = content.split("\n")
    for pointer, inner in pointers(value):
        begins = json.dumps(inner, ensure_ascii=False, indent=0).split("\n")[0]
        assert begins in lines[source.line(pointer) - 1]


def test_what_is_not_there_is_on_the_line_of_what_would_hold_it():
    source = parse_json(b'{\n"a": [\n{"b": 1}\n]}', "a.json")
    assert [source.line(place) for place in ("/a/0/b", "/a/0/c/d", "/a/7", "/x", "")] == [3, 3, 2, 1, 1]


def test_a_mark_at_the_beginning_of_the_file_is_no_part_of_it():
    assert parse_json(b'\xef\xbb\xbf{"a": 1}', "a.json").value == {"a": 1}


def test_a_pointer_escapes_what_would_part_it():
    assert join_pointer("/a", "b/c~d") == "/a/b~1c~0d"
