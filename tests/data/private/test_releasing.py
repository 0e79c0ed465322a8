"""A private profile is paid for before anything is counted, drawn once, and nothing is bought by crashing."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pilotbase.data.private import releasing
from pilotbase.data.private.profiling import request_of
from pilotbase.data.private.releasing import release
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.vocabularies import Role
from pilotbase.workspace.actors import actor
from pilotbase.workspace.log.notes import LogKey
from pilotbase.workspace.store import Store
from pilotbase.workspace.terms_rows import agreement_row, put_agreement
from pilotbase.workspace.uses import uses_of
from tests.data.private.closed_for_tests import (
    AGREEMENT,
    BUDGET,
    DATASET,
    OWNER,
    Plant,
    described,
    question,
    runs,
    table_of,
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture
def plant(every_url):
    store = Store.open(every_url, LogKey(KEY))
    yield Plant(store)
    store.close()


@pytest.fixture
def dataset(plant):
    return plant.publish(described())


@pytest.fixture
def table(dataset):
    return table_of(dataset, runs(400))


def spent(plant):
    return [one.epsilon_so_far for one in uses_of(plant.supplier, DATASET)]


def test_the_same_question_is_answered_alike_and_paid_for_once(plant, dataset, table):
    asked = question(dataset)
    first = release(plant.supplier, dataset, asked, table)
    assert release(plant.supplier, dataset, asked, table) == first
    assert spent(plant) == [1_000_000]
    (use,) = uses_of(plant.supplier, DATASET)
    assert (use.request, use.channel, use.purpose, use.cell_size) == (
        request_of(asked),
        "pb:statistics",
        "pb:statistics",
        10,
    )
    further = release(plant.supplier, dataset, question(dataset, name="further"), table)
    assert further != first
    assert spent(plant) == [2_000_000, 1_000_000]


def test_a_question_that_differs_in_anything_is_paid_for(plant, dataset, table):
    release(plant.supplier, dataset, question(dataset, epsilon=500_000), table)
    release(plant.supplier, dataset, question(dataset, epsilon=500_000, cell_size=11), table)
    release(plant.supplier, dataset, question(dataset, epsilon=500_000, holdout=True), table)
    assert spent(plant)[0] == 1_500_000


def test_what_is_used_up_is_refused_and_nothing_is_counted(plant, dataset, table, monkeypatch):
    release(plant.supplier, dataset, question(dataset, epsilon=BUDGET - 1), table)
    monkeypatch.setattr(releasing, "profile", lambda *_: pytest.fail("the records were read"))
    with pytest.raises(RefusedError, match=r": [01] of [0-9]+ left"):
        release(plant.supplier, dataset, question(dataset, epsilon=100), table)
    with pytest.raises(RefusedError):
        release(plant.supplier, dataset, question(dataset, epsilon=1_000_000), table)
    assert spent(plant) == [BUDGET - 1]


def test_a_further_agreement_brings_no_further_budget(plant, dataset, table):
    release(plant.supplier, dataset, question(dataset, epsilon=BUDGET - 1), table)
    with plant.store.database.write() as connection:
        row = agreement_row(connection, AGREEMENT)
        put_agreement(connection, replace(row, state="ended"))
        put_agreement(connection, replace(row, subject="agreement:second"))
    with pytest.raises(RefusedError, match=r"1 of .* left"):
        release(plant.supplier, dataset, question(dataset, epsilon=100), table)


@pytest.mark.one_in(2)
def test_only_the_owner_and_who_asked_see_it(plant, dataset, table):
    found = release(plant.supplier, dataset, question(dataset), table).digest()
    assert plant.supplier.get(found) is not None
    assert plant.store.as_actor(actor(OWNER, Role.DEMAND_OWNER)).get(found) is not None
    assert plant.store.as_actor(actor("others", Role.SUPPLIER)).get(found) is None


def test_a_smaller_cell_and_another_description_are_refused(plant, dataset, table):
    with pytest.raises(InputError, match="smallest cell"):
        release(plant.supplier, dataset, question(dataset, cell_size=9), table)
    with pytest.raises(InputError, match="a different description"):
        release(plant.supplier, described(version="1.1.0"), question(dataset), table)
    finer = described(version="1.1.0")
    with pytest.raises(InputError, match="a different description"):
        release(plant.supplier, finer, question(finer), table)
    lacking = table_of(dataset, runs(50).drop("wear"))
    with pytest.raises(InputError, match="no column for the field wear"):
        release(plant.supplier, dataset, question(dataset), lacking)
    assert spent(plant) == []


def test_revoked_while_it_is_counted_nothing_comes_out(plant, dataset, table, monkeypatch):
    asked, drawn = question(dataset), []

    def revoked_meanwhile(*given):
        drawn.append(given)
        with plant.store.database.write() as connection:
            row = agreement_row(connection, AGREEMENT)
            put_agreement(connection, replace(row, state="revoked"))
        return true_profile(*given)

    true_profile = releasing.profile
    monkeypatch.setattr(releasing, "profile", revoked_meanwhile)
    with pytest.raises(RefusedError):
        release(plant.supplier, dataset, asked, table)
    assert drawn
    assert plant.supplier.find("private-profile") == []
    with pytest.raises(RefusedError):
        release(plant.supplier, dataset, asked, table)


def test_two_at_once_get_one_answer(plant, dataset, table):
    asked = question(dataset)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: release(plant.supplier, dataset, asked, table).digest(), range(4)))
    assert len(set(found)) == 1
    assert spent(plant) == [1_000_000]


KILLED = """
import os, signal, sys
from pilotbase.data.private import profiling, releasing
from pilotbase.documents.vocabularies import Role
from pilotbase.workspace.actors import actor
from pilotbase.workspace.log.notes import LogKey
from pilotbase.workspace.store import Store
from tests.data.private.closed_for_tests import Plant, described, question, runs, table_of
from tests.data.private.test_releasing import KEY

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[2] == "before it is drawn":
    profiling.noisy = die
else:
    releasing._keep = die
dataset = described()
plant = Plant(Store.open(sys.argv[1], LogKey(KEY)))
releasing.release(plant.supplier, dataset, question(dataset), table_of(dataset, runs(400)))
"""


@pytest.mark.prove
@pytest.mark.parametrize("moment", ["before it is drawn", "before it is kept"])
def test_killed_between_payment_and_answer_it_is_paid_once_and_answered_once(plant, dataset, table, moment, every_url):
    done = subprocess.run([sys.executable, "-c", KILLED, every_url, moment], env={**os.environ, "PYTHONPATH": "."})
    assert done.returncode == -signal.SIGKILL
    assert spent(plant) == [1_000_000]
    assert plant.supplier.find("private-profile") == []
    answered = release(plant.supplier, dataset, question(dataset), table)
    assert release(plant.supplier, dataset, question(dataset), table) == answered
    assert spent(plant) == [1_000_000]
    release(plant.supplier, dataset, question(dataset, name="further"), table)
    with pytest.raises(RefusedError, match=r": [01] of [0-9]+ left"):
        release(plant.supplier, dataset, question(dataset, name="once more", epsilon=1_000), table)
    assert spent(plant) == [BUDGET, 1_000_000]
