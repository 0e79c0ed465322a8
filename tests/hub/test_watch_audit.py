"""The page of drawn cases: what was asked and nothing else, for owner and operator; labels are handed in there."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.watch.services_for_tests import observed

PAGE = "/services/milling/watch/audit/"


@pytest.fixture(scope="module")
def drawn(one_world):
    """A hub with a service of which five cases of twenty were drawn to be labelled."""
    from pilotbase.hub.base import base
    from pilotbase.watch.observations import ingest
    from pilotbase.watch.running import run
    from tests.watch.worlds_for_tests import World

    made = World(base().lab.store, base().home.path, dataset="dataset:plant/logs")
    made.arm(cohort_seconds=1, label_seconds=86_400, audit_labels=5)
    at = datetime.now(UTC) - timedelta(seconds=2)
    inputs = {"x": [9.5] * 20, "shift": ["night"] * 20}
    ingest(made.view, [observed("b1", at, dict.fromkeys([f"c{row}" for row in range(20)], "fine"), inputs=inputs)])
    later = base().lab.store.clock() + timedelta(minutes=5)
    ahead = type(base().lab.store)(base().lab.store.database, base().lab.store.key, lambda: later)
    run(ahead.as_actor(made.view.actor), "milling")
    return one_world


def test_a_labeller_hands_in_labels_of_drawn_cases(drawn):
    owner = drawn.client("owner")
    assert f'href="{PAGE}"' in owner.get("/services/milling/watch/").content.decode()
    shown = owner.get(PAGE).content.decode()
    assert "5 of 5 drawn cases still need a label." in shown and "shift = night; x = 9.5" in shown
    cases = re.findall(r'name="label:(c\d+)"', shown)
    batch = re.search(r'name="batch" value="(\w+)"', shown).group(1)
    assert len(cases) == 5
    wrong = owner.post(PAGE, {"batch": batch, f"label:{cases[0]}": "perhaps"}).content.decode()
    assert "perhaps" in wrong and "5 of 5 drawn cases" in wrong
    told = {f"label:{case}": "broken" for case in cases[:3]}
    after = owner.post(PAGE, {"batch": batch, **told}, follow=True).content.decode()
    assert "3 labels handed in." in after and "2 of 5 drawn cases still need a label." in after
    assert "待标注案例" in drawn.client("desk").get(PAGE, HTTP_ACCEPT_LANGUAGE="zh").content.decode()


def test_a_supplier_is_asked_nothing(drawn):
    supplier = drawn.client("supplier")
    assert supplier.get(PAGE).status_code == 403
    assert PAGE not in supplier.get("/services/milling/watch/").content.decode()
    assert supplier.get("/api/services/milling/watch/audit").status_code == 403
