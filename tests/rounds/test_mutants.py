"""The tests notice when the code is wrong: drawn mutations of each core room, in a copy of the tree."""

import pytest

from benchmarks.house import mutants
from benchmarks.house.runs import keep

pytestmark = pytest.mark.prove


@pytest.mark.parametrize("room", mutants.ROOMS)
def test_what_the_tests_do_not_notice_is_explained(room):
    fates = mutants.fates(mutants.sample([room]), workers=1)
    survivors = [fate.mutant for fate in fates if not fate.killed]
    keep(f"mutants-{room}", mutants=len(fates), killed=len(fates) - len(survivors))
    unexplained = [str(mutant) for mutant in survivors if mutant.key() not in mutants.explanations()]
    assert not unexplained, "\n" + "\n".join([*unexplained, "mend a test, or say in survivors.toml why none can tell"])
    noticed = [str(fate.mutant) for fate in fates if fate.killed and fate.mutant.key() in mutants.explanations()]
    assert not noticed, "\n" + "\n".join([*noticed, "a test can tell: take it out of survivors.toml"])
    assert len(survivors) <= (1 - mutants.KILLED_AT_LEAST) * len(fates)


def test_no_explanation_is_left_over():
    """A mutant that is drawn no more takes its explanation with it."""
    drawn = {mutant.key() for mutant in mutants.sample()}
    assert sorted(mutants.explanations().keys() - drawn) == []
