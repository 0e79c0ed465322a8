"""The milling pack: like the published data set, and its course accepts what is good and rejects what is bad."""

import hashlib

import numpy as np
import pytest

from pilotbase.data.practice import PACKS
from pilotbase.worker.learning import courses, judge_answers

PACK, COURSE = PACKS["milling/1"], courses()["milling"]


def seed(number):
    return hashlib.sha256(f"test {number}".encode()).digest()


def rules(cases, heat=True, power=True, shift=0.0):
    """Answer by the published limits of AI4I 2020."""
    columns = cases.columns
    apart = columns["process_temperature_k"] - columns["air_temperature_k"] - shift
    watts = columns["torque_nm"] * columns["speed_rpm"] * 2 * np.pi / 60
    bearable = np.select([columns["product_type"] == one for one in "LMH"], [11_000, 12_000, 13_000])
    found = columns["tool_wear_min"] * columns["torque_nm"] > bearable
    if heat:
        found = found | ((np.round(apart, 1) < 8.6) & (columns["speed_rpm"] < 1380))
    return found | ((watts < 3500) | (watts > 9000)) if power else found


KNOWN = {
    "rules": ("accept", rules),
    "always no": ("reject", lambda cases: np.zeros(len(cases.truth), dtype=bool)),
    "always yes": ("reject", lambda cases: np.ones(len(cases.truth), dtype=bool)),
    "torque above 60": ("reject", lambda cases: cases.columns["torque_nm"] > 60),
    "blind to heat": ("reject", lambda cases: rules(cases, heat=False)),
    "of a hotter site": ("reject", lambda cases: rules(cases, shift=1.5)),
}


def verdicts(answers, draws):
    made = (PACK.draw(seed(number), COURSE.practice.cases) for number in range(draws))
    return [judge_answers(COURSE, cases, answers(cases).astype(np.int64), attempt=1).verdict for cases in made]


@pytest.mark.parametrize("known", KNOWN)
def test_a_draw_tells_good_answers_from_bad_ones(known):
    wanted, answers = KNOWN[known]
    assert set(verdicts(answers, 3)) == {wanted}


@pytest.mark.prove
@pytest.mark.parametrize("known", KNOWN)
def test_of_200_draws_95_in_100_give_the_known_verdict(known):
    wanted, answers = KNOWN[known]
    assert verdicts(answers, 200).count(wanted) >= 190


def test_a_draw_is_made_again_from_its_seed_alone():
    one, again, other = (PACK.draw(seed(number), 500).rows(with_truth=True) for number in (1, 1, 2))
    assert one == again
    assert one != other


def test_cases_are_like_the_published_ones():
    cases = PACK.draw(seed(0), 100_000)
    assert cases.truth.mean() == pytest.approx(0.034, abs=0.003), "as in AI4I 2020"
    assert np.corrcoef(cases.columns["speed_rpm"], cases.columns["torque_nm"])[0, 1] == pytest.approx(-0.875, abs=0.03)
    assert cases.columns["speed_rpm"].mean() == pytest.approx(1538.8, abs=15)
