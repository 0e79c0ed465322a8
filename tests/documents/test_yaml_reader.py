import pytest

from pilotbase.documents.errors import InputError
from pilotbase.documents.yaml_reader import MAXIMUM_BYTES, parse_yaml


def read(content: str):
    return parse_yaml(content.encode(), "x.yaml").value


def test_scalars_follow_the_core_schema_and_nothing_is_guessed():
    assert read("a: no\nb: 2026-01-01\nc: 1:30\nd: true\ne: 0x10\nf: ~\ng: 1.5\nh: -3\ni: '1'\nj: .inf") == {
        "a": "no", "b": "2026-01-01", "c": "1:30", "d": True, "e": "0x10",
        "f": None, "g": 1.5, "h": -3, "i": "1", "j": ".inf",
    }  # fmt: skip


def test_every_value_knows_its_line():
    source = parse_yaml(b"a: 1\nb:\n  - c: 2\n  - d: 3\n", "x.yaml")
    assert (source.lines["b[1].d"], source.lines["b[0]"], source.lines["a"]) == (4, 3, 1)


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        ("a: &x [1]\nb: *x", "input.yaml_alias", 1),
        ("a: 1\nb: !!python/object/apply:os.system [id]", "input.yaml_tag", 2),
        ("a: !mine 1", "input.yaml_tag", 1),
        ("a: 1\nb: 2\na: 3", "input.double_key", 3),
        ("a: 1\nb: ]", "input.yaml_syntax", 2),
        ("a:\n" + "\n".join(" " * (depth + 1) + "b:" for depth in range(60)), "input.yaml_too_deep", 41),
        ("a: [" + "1," * 60_000 + "1]", "input.yaml_too_deep", 1),
        ("? [1, 2]\n: 3", "input.no_plain_key", 1),
        ("a: " + "9" * 5000, "input.bad_scalar", 1),
    ],
)
def test_what_is_refused_names_the_line(content, code, line):
    with pytest.raises(InputError) as caught:
        read(content)
    (issue,) = caught.value.issues
    assert (issue.problem.code, issue.line) == (code, line)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"- 1\n- 2", "input.not_a_mapping"),
        (b"", "input.not_a_mapping"),
        (b"a: \xff\xfe", "input.not_utf8"),
        (b"#" * (MAXIMUM_BYTES + 1), "input.file_too_large"),
    ],
)
def test_files_that_are_no_mapping_are_refused(data, code):
    with pytest.raises(InputError) as caught:
        parse_yaml(data, "x.yaml")
    assert caught.value.code == code


def test_an_alias_bomb_costs_nothing():
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(8)
    )
    with pytest.raises(InputError):
        read(bomb)
