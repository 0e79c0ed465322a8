"""Every bridge to a format of others: what it holds comes back, the rest is named, nothing closed gets out."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pilotbase.data.bridges import bridges
from pilotbase.data.bridges.definition import OTHER, said_in
from pilotbase.data.bridges.reading import load_description
from pilotbase.documents.base import Localized, Part
from pilotbase.documents.errors import InputError
from tests.data.croissant.datasets_for_tests import COMPLETE, complete

BRIDGES = bridges()
READ = [name for name, bridge in BRIDGES.items() if bridge.read is not None]
WRITTEN = [name for name, bridge in BRIDGES.items() if bridge.write is not None]
INLINE = {
    "name": "sides",
    "key": ["id"],
    "field": [
        {"name": "id", "dataType": "sc:Text"},
        {"name": "label", "dataType": "sc:Text", "semantic": ["cr:Label"]},
    ],
    "inline": '[{"id": "1", "label": "左"}, {"id": "2", "label": "right"}]',
}


def sample(name, **changes):
    """Return a dataset that says as much as possible; of records alone for a format of records."""
    return complete(**({"recordSet": [INLINE]} if name == "tc609" else {}), **changes)


def written(bridge, dataset, folder):
    path = folder / f"description.{bridge.suffix}"
    found = bridge.write(dataset)
    path.write_text(found.content, "utf-8")
    return path, found


def values(part, path=""):
    """Yield path without numbers → value of everything that a dataset says."""
    for name, info in type(part).model_fields.items():
        value = getattr(part, name)
        if value == info.get_default(call_default_factory=True):
            continue
        here = f"{path}.{info.alias or name}".lstrip(".")
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, Localized):
                yield here, one.en or one.zh
                if one.en and one.zh:
                    yield here + OTHER, one.zh
            elif isinstance(one, Part):
                yield from values(one, here)
            else:
                yield here, str(one)


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_not_left_out_comes_back_the_same(name, tmp_path):
    bridge, dataset = BRIDGES[name], sample(name)
    path, found = written(bridge, dataset, tmp_path)
    if bridge.read is None:
        assert "pump" in found.content and found.left_out
        return
    loaded = load_description(path)
    assert loaded.bridge.name == name
    again = loaded.description.require()
    held = [(place, value) for place, value in values(dataset) if place not in found.left_out]
    back = list(values(again))
    assert not Counter(held) - Counter(back)
    assert len(held) > 3


@pytest.mark.parametrize("name", WRITTEN)
def test_what_a_format_has_no_place_for_is_named(name):
    """Whoever reads what is left out knows it: nothing that a dataset says is neither held nor named."""
    bridge, dataset = BRIDGES[name], sample(name)
    named, said = set(bridge.write(dataset).left_out), set(said_in(dataset))
    assert named <= said
    held = {
        path
        for path in said - named
        if path.removesuffix(OTHER).split(".")[0] not in {one.split(".")[0] for one in bridge.holds}
    }
    assert held == set()
    assert (named == set()) == (name in ("croissant", "dataset"))


@pytest.mark.parametrize("name", WRITTEN)
def test_nothing_of_a_closed_dataset_gets_out(name):
    bridge = BRIDGES[name]
    file = {
        **COMPLETE["distribution"][0],
        "contentUrl": "https://plant.example/secret/pumps.csv",
        "commitment": "sha256:" + "c" * 64,
    }
    if not bridge.is_public:
        return
    if name != "tc609":
        found = bridge.write(complete(opening="compute_to_data", distribution=[file]))
        assert "secret" not in found.content and "a" * 64 not in found.content
        assert {"distribution.contentUrl", "distribution.sha256"} <= set(found.left_out)
    if name not in ("schema-org",):
        with pytest.raises(InputError) as caught:
            bridge.write(complete(opening="on_terms", recordSet=[INLINE]))
        assert caught.value.code == "croissant.closed_inline"


@pytest.mark.parametrize("name", READ)
def test_a_description_that_lacks_things_says_so_at_places_of_the_file(name, tmp_path):
    path, _ = written(BRIDGES[name], sample(name, license="free for all", url=None), tmp_path)
    found = load_description(path).description
    assert found.faults == ()
    assert all(issue.render("en") != issue.render("zh") and issue.file == str(path) for issue in found.lacking)
    assert any("licen" in issue.path for issue in found.lacking)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["name", "@id", "@value", "x"]), inner),
    max_leaves=4,
)


def spoil(value, draw):
    """Return a description with one part of it, however deep, replaced by anything at all."""
    if isinstance(value, dict) and value and draw(st.booleans()):
        key = draw(st.sampled_from(sorted(value)))
        return {**value, key: spoil(value[key], draw)}
    if isinstance(value, list) and value and draw(st.booleans()):
        index = draw(st.integers(0, len(value) - 1))
        return [*value[:index], spoil(value[index], draw), *value[index + 1 :]]
    return draw(ANYTHING)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", READ)
@settings(
    max_examples=30,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_whatever_is_in_it_is_read_or_refused_in_words(name, data, tmp_path):
    content = BRIDGES[name].write(sample(name)).content
    lines = content.splitlines() if BRIDGES[name].suffix == "jsonl" else [_as_json(name, content)]
    whole = json.loads(lines[0])
    key = data.draw(st.sampled_from(sorted(whole)))
    spoiled = {**whole, key: spoil(whole[key], data.draw)}
    path = Path(tmp_path) / f"spoiled.{'jsonl' if len(lines) > 1 else 'json'}"
    path.write_text("\n".join([json.dumps(spoiled), *lines[1:]]), "utf-8")
    try:
        found = load_description(path).description
    except InputError as error:
        assert error.render("en") != error.render("zh")
        return
    assert (found.dataset is None) == bool(found.faults)
    for issue in (*found.faults, *found.lacking, *found.not_held):
        assert issue.render("en") != issue.render("zh")


def _as_json(name, content):
    import yaml

    return json.dumps(yaml.safe_load(content)) if name == "odcs" else content
