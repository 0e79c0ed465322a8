"""What every perturbation keeps to, on columns of every kind that a box can be fed."""

import re
from copy import deepcopy
from decimal import Decimal
from importlib import import_module
from pkgutil import iter_modules

import numpy as np
import pytest

from pilotbase.documents.contract import Contract, DataType, Field, Prediction
from pilotbase.documents.criteria import Perturbed, parse_rule
from pilotbase.documents.errors import InputError
from pilotbase.documents.world import EPISODE_FIELDS, Arm
from pilotbase.measures import perturbations
from pilotbase.measures.perturbations import PERTURBATIONS, kind_of, perturbation_of, perturbation_problems
from pilotbase.measures.perturbations.definition import ARMS
from pilotbase.protocols.frames import FeatureBatch, encode_batch

ROWS = 240
STRENGTH = {**dict.fromkeys(map(str, Arm), "1"), "stale": "3", "clock_shift": "3600", "exposure": "1", "blur": "2"}
FIELDS = (
    Field(name="torque", data_type=DataType.FLOAT),
    Field(name="age", data_type=DataType.INTEGER),
    Field(name="holes", data_type=DataType.FLOAT),
    Field(name="open", data_type=DataType.BOOLEAN),
    Field(name="note", data_type=DataType.TEXT),
    Field(name="备注", data_type=DataType.TEXT),
    Field(name="day", data_type=DataType.DATE),
    Field(name="at", data_type=DataType.DATETIME),
)
IMAGES = (Field(name="photo", data_type=DataType.IMAGE), Field(name="note", data_type=DataType.TEXT))
SOUNDS = (Field(name="speech", data_type=DataType.AUDIO, rate=16_000), Field(name="hum", data_type=DataType.AUDIO))
WORLDS = {frozenset({"image"}): "photos", frozenset({"audio"}): "sounds", frozenset({"arm"}): "episodes"}
"""Kinds of column → the columns with them; all others stand in one table."""


def texts(values):
    column = np.empty(ROWS, dtype=object)
    column[:] = [values[index % len(values)] for index in range(ROWS)]
    return column


def columns():
    draw = np.random.default_rng(5)
    holes = draw.normal(size=ROWS)
    holes[::7] = np.nan
    return {
        "torque": draw.normal(40, 5, ROWS),
        "age": draw.integers(0, 900, ROWS),
        "holes": holes,
        "open": draw.integers(0, 2, ROWS).astype(np.uint8),
        "note": texts(["bearing 10 is hot", "oil leak", None, "OK"]),
        "备注": texts(["轴承温度过高，请检查设备", "电机声音异常", "無人發現的問題", None]),
        "day": texts(["2027-06-30", None, "2028-02-28"]),
        "at": texts(["2027-06-30T23:59:30Z", "2027-06-30T12:00:00.250000Z", None]),
    }


def photos():
    """Images of different sizes, coloured and grey, one missing."""
    draw, found = np.random.default_rng(6), []
    for height, width, depth in ((21, 30, 3), (9, 14, 3), (16, 16, 1)):
        ramp = np.linspace(0, 250, height * width).reshape(height, width, 1)
        found.append(np.clip(ramp + draw.normal(0, 20, (height, width, depth)), 0, 255).astype(np.uint8))
    return {"photo": objects([*found, None, found[0][..., 0]]), "note": objects(["a", "b", None, "d", "e"])}


def sounds():
    """Samples of 16 bits and floats, of different lengths, one missing and one silent."""
    draw = np.random.default_rng(7)
    speech = [np.clip(draw.normal(0, 6_000, n), -32_768, 32_767).astype(np.int16) for n in (8_000, 3_000, 20_000)]
    hum = [
        np.sin(np.arange(n) / 7).astype(np.float32) / 2 + draw.normal(0, 0.1, n).astype(np.float32)
        for n in (900, 4_000)
    ]
    return {
        "speech": objects([*speech, None]),
        "hum": objects([*hum, np.zeros(50, np.float32), np.zeros(0, np.float32)]),
    }


def episodes():
    return {field.name: objects(["clean", "clean"]) for field in EPISODE_FIELDS}


def objects(values):
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def made(name, strength=None, **arguments):
    number = Decimal(STRENGTH.get(name, "0.4") if strength is None else strength)
    return perturbation_of(Perturbed(name, number, arguments))


def world(kind):
    of_kind = WORLDS.get(PERTURBATIONS[kind].kinds)
    tables = {"photos": (photos(), IMAGES), "sounds": (sounds(), SOUNDS), "episodes": (episodes(), EPISODE_FIELDS)}
    return tables.get(of_kind) or (columns(), FIELDS)


def same(one, other):
    return all(same_arrays(one[name], other[name]) for name in {*one, *other})


def same_arrays(one, other):
    if not isinstance(one, np.ndarray) or not isinstance(other, np.ndarray):
        return type(one) is type(other) and one == other
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    if one.dtype == object:
        return all(map(same_arrays, one.tolist(), other.tolist()))
    return np.array_equal(one, other, equal_nan=one.dtype.kind == "f")


EVERY = pytest.mark.parametrize("name", list(PERTURBATIONS))


def test_every_perturbation_that_has_a_name_can_be_asked_for():
    modules = [import_module(f"{perturbations.__name__}.{file.name}") for file in iter_modules(perturbations.__path__)]
    found = {one for module in modules for one in vars(module).values() if isinstance(one, type)}
    named = {one for one in found if issubclass(one, perturbations.Perturbation) and "name" in vars(one)}
    assert named | set(ARMS) == set(PERTURBATIONS.values())


@EVERY
def test_it_changes_something_and_never_rows_columns_or_what_it_was_given(name):
    given, fields = world(name)
    before = deepcopy(given)
    changed = made(name).apply(given, fields, b"seed")
    assert same(given, before)
    assert list(changed) == list(given)
    assert all(len(changed[column]) == len(given[column]) for column in given)
    assert not same(changed, given)
    for field in fields:
        if kind_of(field, given[field.name]) not in PERTURBATIONS[name].kinds:
            assert changed[field.name] is given[field.name]


@EVERY
def test_strength_zero_is_the_identity_and_a_criterion_with_it_is_refused(name):
    given, fields = world(name)
    first = PERTURBATIONS[name].parameters[0].name
    nothing = PERTURBATIONS[name]({first: Decimal(0)})
    assert same(nothing.apply(given, fields, b"seed"), given)
    with pytest.raises(InputError, match="strength zero"):
        made(name, 0)


@EVERY
def test_the_same_seed_gives_the_same_and_a_column_does_not_depend_on_the_others(name):
    given, fields = world(name)
    whole = made(name).apply(given, fields, b"seed")
    assert same(made(name).apply(given, fields, b"seed"), whole)
    for column in given:
        alone = {column: given[column]}
        assert same(made(name).apply(alone, fields, b"seed"), {column: whole[column]})


@pytest.mark.parametrize("name", [name for name in PERTURBATIONS if name not in
    ("stale", "clock_shift", "exposure", "blur", "jpeg", "loudness", "clipping", "band_limit", *Arm)])  # fmt: skip
def test_another_seed_gives_another_draw(name):
    given, fields = world(name)
    assert not same(made(name).apply(given, fields, b"seed"), made(name).apply(given, fields, b"other"))


@pytest.mark.parametrize("name", ["noise", "missing", "unit_slip", "typos", "ocr", "width", "script", "clock_shift"])
def test_what_happens_to_a_case_depends_on_the_public_sample_and_not_on_other_cases(name):
    """Else cases drawn independently would not stay independent, and no claim about a population would hold."""
    given = columns()
    half = {column: values[: ROWS // 2] for column, values in given.items()}
    whole = made(name).apply(given, FIELDS, b"seed", reference=given)
    kept = {column: values[: ROWS // 2] for column, values in whole.items()}
    assert same(made(name).apply(half, FIELDS, b"seed", reference=given), kept)


def test_those_that_look_at_other_rows_say_so():
    assert {name for name in PERTURBATIONS if PERTURBATIONS[name].across_cases} == {"stale", "freeze", "gaps"}


@EVERY
def test_what_comes_out_still_crosses_the_wall_of_a_box(name):
    given, fields = world(name)
    contract = Contract(features=fields, prediction=Prediction(kind="label", classes=("a", "b")))
    most = min(Decimal(1), PERTURBATIONS[name].parameters[0].high)
    for strength in (most, STRENGTH.get(name, "0.4")):
        changed = made(name, strength).apply(given, fields, b"seed")
        assert encode_batch(FeatureBatch(changed, len(next(iter(given.values())))), contract, 0)


@pytest.mark.parametrize("name", [name for name in PERTURBATIONS if PERTURBATIONS[name].kinds <= {"image", "audio"}])
def test_pictures_and_sounds_keep_shape_and_type_and_what_is_missing_stays_so(name):
    given, fields = world(name)
    changed = made(name).apply(given, fields, b"seed")
    for column in given:
        for before, after in zip(given[column], changed[column], strict=True):
            assert getattr(before, "shape", None) == getattr(after, "shape", None)
            assert getattr(before, "dtype", type(before)) == getattr(after, "dtype", type(after))


@pytest.mark.parametrize("name", [name for name in PERTURBATIONS if PERTURBATIONS[name].kinds == {"image"}])
def test_images_of_one_size_may_stand_in_one_array_and_come_out_alike(name):
    apart = {"photo": objects([photos()["photo"][0], photos()["photo"][0][::-1]])}
    stacked = {"photo": np.stack(apart["photo"].tolist())}
    (one, two) = (made(name).apply(given, IMAGES[:1], b"seed")["photo"] for given in (apart, stacked))
    assert np.array_equal(np.stack(one.tolist()), two)


@EVERY
def test_only_the_named_columns_are_touched(name):
    given, fields = world(name)
    fitting = [field.name for field in fields if kind_of(field, given[field.name]) in PERTURBATIONS[name].kinds]
    changed = made(name, columns=fitting[-1]).apply(given, fields, b"seed")
    touched = [column for column in given if changed[column] is not given[column]]
    assert touched == [fitting[-1]]
    asked = Perturbed(name, Decimal(STRENGTH.get(name, "0.4")), {"columns": fitting[0]})
    assert perturbation_problems(asked, fields) == []


@EVERY
def test_every_parameter_says_its_range_and_what_lies_beyond_is_refused(name):
    for parameter in PERTURBATIONS[name].parameters:
        if parameter.of_columns:
            continue
        given = {PERTURBATIONS[name].parameters[0].name: Decimal("0.5"), parameter.name: parameter.high + 1}
        with pytest.raises(InputError) as caught:
            perturbation_of(Perturbed(name, None, given))
        assert caught.value.code == "measure.perturbation_problem"
        assert f"{parameter.high:f}" in caught.value.render("en")
        assert re.search("[一-鿿]", caught.value.render("zh"))
    assert PERTURBATIONS[name].title.render("en") != PERTURBATIONS[name].title.render("zh")


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("drop(accuracy under earthquake(1)) <= 0.1", "measure.unknown_perturbation"),
        ("drop(accuracy under noise(0.1, colour=red)) <= 0.1", "measure.unknown_argument"),
        ("drop(accuracy under noise) <= 0.1", "measure.argument_missing"),
        ("drop(accuracy under noise(11)) <= 0.1", "measure.perturbation_argument"),
        ("drop(accuracy under noise(0.1, scale=0.2)) <= 0.1", "measure.strength_twice"),
        ("drop(accuracy under unit_slip(0.1, factor=kelvin)) <= 0.1", "measure.perturbation_argument"),
        ("drop(accuracy under stale(1.5)) <= 0.1", "measure.perturbation_argument"),
        ("drop(accuracy under noise(0)) <= 0.1", "measure.perturbation_nothing"),
        ("drop(accuracy under noise(0.1, columns=note)) <= 0.1", "measure.perturbation_column"),
        ("drop(accuracy under noise(0.1, columns=target)) <= 0.1", "measure.perturbation_column"),
        ("drop(accuracy under stale(1, by=target)) <= 0.1", "measure.perturbation_column"),
        ("drop(accuracy under jpeg(0.5)) <= 0.1", "measure.perturbation_idle"),
    ],
)
def test_what_is_wrong_with_a_perturbation_is_said_in_both_languages(rule, code):
    (problem,) = perturbation_problems(parse_rule(rule).under, FIELDS)
    assert problem.code == code
    assert problem.render("zh") != problem.render("en")
