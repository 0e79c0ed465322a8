"""What each perturbation does: how much, to what, and what it leaves alone."""

from decimal import Decimal

import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from pilotbase.documents.contract import DataType, Field
from pilotbase.documents.criteria import Perturbed, parse_rule
from pilotbase.measures.characters import LOOK_ALIKES, OTHER_SCRIPT
from pilotbase.measures.perturbations import perturbation_of

ROWS = 20_000


def under(spelling, columns, fields=None, reference=None, seed=b"seed"):
    made = perturbation_of(parse_rule(f"drop(accuracy under {spelling}) <= 0.1").under)
    fields = fields or [Field(name=name, data_type=_type(column)) for name, column in columns.items()]
    return made.apply(columns, fields, seed, reference)


def _type(column):
    kinds = {"i": DataType.INTEGER, "u": DataType.BOOLEAN, "O": DataType.TEXT}
    return kinds.get(column.dtype.kind, DataType.FLOAT)


def words(*values):
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def test_noise_is_so_many_standard_deviations_of_the_public_sample():
    column = np.random.default_rng(1).normal(100, 3, ROWS)
    public = np.random.default_rng(2).normal(0, 50, 500)
    added = under("noise(0.1)", {"x": column}, reference={"x": public})["x"] - column
    assert abs(added.mean()) < 0.2
    assert added.std() == pytest.approx(0.1 * public.std(), rel=0.02)
    alone = under("noise(0.1)", {"x": column})["x"] - column
    assert alone.std() == pytest.approx(0.1 * column.std(), rel=0.02)


def test_noise_keeps_missing_values_whole_numbers_and_the_bounds_of_the_contract():
    column = np.arange(ROWS) % 100
    bounded = [Field(name="x", data_type=DataType.INTEGER, minimum=10, maximum=80)]
    noisy = under("noise(1)", {"x": column}, bounded)["x"]
    assert noisy.dtype == np.int64
    assert (noisy.min(), noisy.max()) == (10, 80)
    holes = np.where(column < 50, np.nan, column)
    assert np.array_equal(np.isnan(under("noise(1)", {"x": holes})["x"]), column < 50)
    same = np.full(10, 7.0)
    assert np.array_equal(under("noise(1)", {"x": same})["x"], same)
    assert np.isnan(under("noise(1)", {"x": np.full(3, np.nan)})["x"]).all()


@pytest.mark.parametrize("column", [np.arange(ROWS), np.arange(ROWS) * 1.5, (np.arange(ROWS) % 2).astype(np.uint8)])
def test_missing_takes_so_many_values_away_and_numbers_become_real(column):
    found = under("missing(0.2)", {"x": column})["x"]
    assert found.dtype == np.float64
    assert np.isnan(found).mean() == pytest.approx(0.2, abs=0.01)
    there = ~np.isnan(found)
    assert np.array_equal(found[there], column[there])


def test_missing_texts_and_booleans_keep_what_was_missing():
    flags = np.array([0, 1, 255], dtype=np.uint8)
    assert np.isnan(under("missing(0.000001)", {"x": flags})["x"][2])
    assert under("missing(1)", {"x": words("a", None)})["x"].tolist() == [None, None]


def test_a_slipped_unit_is_another_unit_of_the_same_value():
    column = np.arange(1, ROWS + 1)
    found = under("unit_slip(0.25, factor=1000)", {"x": column})["x"]
    slipped = found != column
    assert slipped.mean() == pytest.approx(0.25, abs=0.01)
    assert np.array_equal(found[slipped], column[slipped] * 1000)
    assert found.dtype == np.int64
    assert np.array_equal(under("unit_slip(1)", {"x": column})["x"], column * 10)
    celsius = np.array([0.0, 37.0, -40.0])
    assert under("unit_slip(1, factor=fahrenheit)", {"x": celsius})["x"] == pytest.approx([32.0, 98.6, -40.0])
    huge = np.array([2**53 + 1, -(2**62)])
    assert np.array_equal(under("unit_slip(0.000001)", {"x": huge})["x"], huge)
    assert under("unit_slip(1, factor=1000000)", {"x": huge})["x"].tolist() == [2**62, -(2**62)]


def test_an_unseen_category_is_none_of_the_public_sample():
    column = words(*["L", "M", None, "N"] * 500)
    first = {*under("unseen_category(0.5)", {"x": column}, reference={"x": words("H")})["x"]} - {*column}
    assert len(first) == 5
    assert not first & ({*under("unseen_category(0.5)", {"x": column}, seed=b"other")["x"]} - {*column})
    found = under("unseen_category(0.5)", {"x": column}, reference={"x": words("H", *first)})["x"]
    changed = [new for new, old in zip(found, column, strict=True) if new != old]
    assert len(changed) == pytest.approx(750, abs=90)
    assert not set(changed) & {"L", "M", "N", "H", None, *first}
    assert all(found[index] is None for index in range(2, 2000, 4))


def test_stale_values_follow_time_and_never_leave_their_machine():
    columns = {
        "x": np.array([10.0, 20.0, 30.0, 40.0, 50.0, 60.0]),
        "day": words("2027-01-03", "2027-01-01", "2027-01-02", "2027-01-01", "2027-01-02", "2027-01-03"),
        "machine": words("a", "a", "a", "b", "b", "b"),
    }
    fields = [Field(name="x", data_type=DataType.FLOAT), Field(name="day", data_type=DataType.DATE),
              Field(name="machine", data_type=DataType.TEXT)]  # fmt: skip
    found = under("stale(1, columns=x, by=day, within=machine)", columns, fields)
    assert found["x"].tolist() == [30.0, 20.0, 20.0, 40.0, 40.0, 50.0]
    assert under("stale(2, columns=x)", columns, fields)["x"].tolist() == [10.0, 10.0, 10.0, 20.0, 30.0, 40.0]
    assert found["day"] is columns["day"]


def test_a_frozen_sensor_repeats_its_last_value_in_runs():
    column = np.arange(ROWS, dtype=float)
    found = under("freeze(0.3, length=50)", {"x": column, "y": column})
    stuck = found["x"] != column
    assert stuck.mean() == pytest.approx(0.3, abs=0.05)
    steps = np.diff(found["x"])
    assert set(np.unique(steps[steps > 0])) != {1.0}
    assert (steps >= 0).all()
    assert not np.array_equal(found["x"], found["y"])


def test_in_a_gap_everything_is_missing_together_and_in_runs():
    columns = {"x": np.arange(ROWS), "y": np.arange(ROWS) * 0.5}
    found = under("gaps(0.2, length=20)", columns)
    gone = np.isnan(found["x"])
    assert np.array_equal(gone, np.isnan(found["y"]))
    assert gone.mean() == pytest.approx(0.2, abs=0.03)
    lengths = np.diff(np.flatnonzero(np.diff(np.concatenate(([0], gone, [0])))))[::2]
    assert lengths[:-1].min() >= 20
    assert np.isnan(under("gaps(1, length=7)", columns)["x"]).all()


def test_a_shifted_clock_moves_times_and_whole_days_of_dates():
    columns = {"at": words("2027-12-31T23:30:00.250Z", None, "9999-12-31T23:59:59Z"),
               "day": words("2028-02-28", "2027-12-31", None)}  # fmt: skip
    fields = [Field(name="at", data_type=DataType.DATETIME), Field(name="day", data_type=DataType.DATE)]
    found = under("clock_shift(3600)", columns, fields)
    assert found["at"].tolist() == ["2028-01-01T00:30:00.250Z", None, "9999-12-31T23:59:59Z"]
    assert found["day"].tolist() == columns["day"].tolist()
    assert under("clock_shift(86400)", columns, fields)["day"].tolist() == ["2028-02-29", "2028-01-01", None]
    assert under("clock_shift(-86400)", columns, fields)["at"][0] == "2027-12-30T23:30:00.250Z"


ENGLISH, CHINESE = "The bearing temperature is too high", "轴承温度过高，请检查设备"


@pytest.mark.parametrize("name", ["typos", "ocr", "width", "script"])
def test_so_many_letters_are_touched_and_no_text_is_emptied(name):
    column = words(*[ENGLISH, CHINESE] * 300, "L", None)
    found = under(f"{name}(0.1)", {"x": column})["x"]
    changed = np.mean([new != old for new, old in zip(found[:600], column, strict=False)])
    assert 0.2 < changed < 1
    assert found[-1] is None
    assert all(under(f"{name}(1)", {"x": words("L", "a", "重")})["x"])
    most = under(f"{name}(1)", {"x": words(*[ENGLISH, CHINESE])})["x"]
    assert most[0] != ENGLISH or name == "script"
    assert most[1] != CHINESE


def test_scanners_take_signs_for_those_that_look_alike():
    found = under("ocr(1)", {"x": words("0", "l", "己", "m", "中")})["x"].tolist()
    assert found[0] in "Oo"
    assert found[1] in "1I|"
    assert found[2] in "已巳"
    assert found[3:] == ["rn", "中"]
    assert all(sign not in likes for sign, likes in LOOK_ALIKES.items())


def test_width_and_script_go_there_and_back():
    assert under("width(1)", {"x": words("No 5!", "Ｎｏ")})["x"].tolist() == ["Ｎｏ\u3000５！", "No"]
    assert under("script(1)", {"x": words("检查设备", "檢查設備")})["x"].tolist() == ["檢查設備", "检查设备"]
    assert len(OTHER_SCRIPT) == 2 * 621
    assert all(OTHER_SCRIPT[other] == one for one, other in OTHER_SCRIPT.items())


def test_a_paraphrase_keeps_the_text_and_its_language():
    found = under("paraphrase(0.5)", {"x": words(*[ENGLISH, CHINESE] * 500)})["x"]
    assert all((ENGLISH, CHINESE)[index % 2] in value for index, value in enumerate(found))
    framed = [value for value in found if value not in (ENGLISH, CHINESE)]
    assert len(framed) == pytest.approx(500, abs=60)
    assert all(value.isascii() for value in framed if ENGLISH in value)
    assert not any(letter.isascii() for value in framed if CHINESE in value for letter in value)


def photos(size=(24, 36)):
    draw = np.random.default_rng(3).integers(0, 256, (3, *size, 3)).astype(float)
    return uniform_filter(draw, (0, 5, 5, 0)).astype(np.uint8)


def image(name, strength, given):
    field = [Field(name="photo", data_type=DataType.TEXT)]
    return perturbation_of(Perturbed(name, Decimal(strength))).apply({"photo": given}, field, b"seed")["photo"]


def test_images_stay_images_and_lose_what_they_should():
    given = photos()
    for name, strength in (("blur", "1"), ("pixel_noise", "0.1"), ("exposure", "1"), ("crop", "0.3"), ("jpeg", "0.8")):
        found = image(name, strength, given)
        assert (found.shape, found.dtype) == (given.shape, np.uint8)
        assert not np.array_equal(found, given)
    sharp = np.abs(np.diff(given.astype(float), axis=1)).mean()
    assert np.abs(np.diff(image("blur", "2", given).astype(float), axis=1)).mean() < sharp / 2
    assert np.array_equal(image("exposure", "1", given), np.minimum(given.astype(int) * 2, 255))
    assert np.std(image("pixel_noise", "0.1", np.full((2, 50, 50, 1), 128, np.uint8))) == pytest.approx(25.5, rel=0.05)


def test_jpeg_loses_more_at_lower_quality_and_little_at_the_best():
    given = photos((20, 30))
    errors = [
        np.abs(image("jpeg", loss, given).astype(float) - given).mean() for loss in ("0.01", "0.5", "0.9", "0.98")
    ]
    assert errors == sorted(errors)
    assert errors[0] < 2
    grey = given[..., :1]
    assert np.abs(image("jpeg", "0.5", grey).astype(float) - grey).mean() < 8
    flat = np.full((1, 16, 16, 3), (10, 200, 90), np.uint8)
    assert np.abs(image("jpeg", "0.3", flat).astype(int) - flat).max() <= 6
    assert np.array_equal(image("jpeg", "0.01", flat[..., :1] + 100), flat[..., :1] + 100), "it makes nothing brighter"


def test_a_crop_of_next_to_nothing_leaves_every_pixel_in_its_place():
    ramp = np.broadcast_to((np.arange(16, dtype=np.uint8) * 10)[None, :, None, None], (1, 16, 16, 1))
    for given in (ramp, ramp.swapaxes(1, 2)):
        assert np.abs(image("crop", "0.01", given).astype(int) - given).max() <= 2


def test_a_crop_is_a_window_of_the_image_stretched():
    ramp = np.broadcast_to(np.linspace(0, 255, 101)[None, None, :, None], (1, 40, 101, 1)).astype(np.uint8)
    found = image("crop", "0.5", ramp)[0, 0, :, 0].astype(float)
    assert np.ptp(found) == pytest.approx(127, abs=5)
    assert (np.diff(found) >= 0).all()


def sound(name, strength, given, **arguments):
    field = [Field(name="speech", data_type=DataType.AUDIO)]
    column = np.empty(1, dtype=object)
    column[0] = given
    return perturbation_of(Perturbed(name, Decimal(strength), arguments)).apply({"speech": column}, field, b"s")[
        "speech"
    ][0]


TONE = (np.sin(np.arange(160_000) / 5) / 2).astype(np.float32)


def test_hiss_lies_as_many_decibels_below_the_sound_as_it_says():
    for snr in (20, 10):
        added = sound("hiss", "1", TONE / 4, snr=Decimal(snr)) - TONE / 4
        assert 10 * np.log10(np.mean((TONE / 4) ** 2) / np.mean(added**2)) == pytest.approx(snr, abs=0.1)
    assert not sound("hiss", "1", np.zeros(100, np.float32)).any(), "below silence there is nothing"


@pytest.mark.prove
def test_sounds_are_changed_by_as_much_as_is_said():
    assert sound("loudness", "-6", TONE) == pytest.approx(TONE * 0.5012, rel=1e-3, abs=1e-6)
    assert np.abs(sound("loudness", "20", TONE)).max() == 1, "full scale"
    assert sound("loudness", "20", np.array([5_000, -5_000], np.int16)).tolist() == [32_767, -32_768]
    assert np.abs(sound("clipping", "0.4", TONE)).max() == pytest.approx(0.3, abs=1e-6)
    silent = sound("dropouts", "0.3", np.ones(200_000, np.float32), length=Decimal(100)) == 0
    assert silent.mean() == pytest.approx(0.3, abs=0.03)
    assert np.diff(np.flatnonzero(np.diff(silent.astype(int)))).max() >= 100


def test_a_band_limit_takes_what_is_above_and_keeps_what_is_below():
    time = np.arange(16_000)
    low, high = np.sin(2 * np.pi * 500 * time / 16_000), np.sin(2 * np.pi * 6_000 * time / 16_000)
    assert sound("band_limit", "0.5", (low + high).astype(np.float32) / 2) == pytest.approx(low / 2, abs=1e-3)
