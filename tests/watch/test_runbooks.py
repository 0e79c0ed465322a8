"""Which rule fits a warning, and whose runbook it is."""

import pytest

from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.vocabularies import Colour, Countermeasure, Signal
from pilotbase.documents.watch import Runbook, RunbookRule
from pilotbase.watch.incidents import default_runbook, keep_runbook, rule_for, runbook_of
from tests.watch.incidents_for_tests import DESK, OTHER_OWNER, OWNER, REGULATOR, SUPPLIER, keep_service

FALLS_BACK = (Countermeasure.FALL_BACK, Countermeasure.NOTIFY)
NOTIFIES = (Countermeasure.NOTIFY,)


@pytest.mark.parametrize(
    ("signal", "colour", "measures", "incident", "suspends"),
    [
        (Signal.RISK, Colour.RED, FALLS_BACK, True, True),
        (Signal.RISK, Colour.ORANGE, NOTIFIES, True, False),
        (Signal.RISK, Colour.YELLOW, NOTIFIES, False, False),
        (Signal.DRIFT, Colour.RED, NOTIFIES, True, False),
        (Signal.DRIFT, Colour.ORANGE, NOTIFIES, False, False),
        (Signal.AVAILABILITY, Colour.ORANGE, NOTIFIES, True, False),
        (Signal.ERRORS, Colour.ORANGE, NOTIFIES, False, False),
        (Signal.SILENCE, Colour.RED, NOTIFIES, False, False),
        (Signal.SILENCE, Colour.BLUE, NOTIFIES, False, False),
    ],
)
def test_the_default_rule_of_a_warning(signal, colour, measures, incident, suspends):
    rule = rule_for(default_runbook("alarm"), signal, colour)
    assert (rule.measures, rule.incident, rule.suspend_certificate) == (measures, incident, suspends)


@pytest.mark.parametrize(("signal", "colour"), [(Signal.RISK, Colour.GREEN), (Signal.RISK, Colour.BLUE)])
def test_where_no_rule_fits_nothing_is_done(signal, colour):
    assert rule_for(default_runbook("alarm"), signal, colour) is None


def test_a_rule_for_green_never_fits():
    always = Runbook(service="alarm", rules=(RunbookRule(colour=Colour.GREEN, measures=NOTIFIES),))
    assert rule_for(always, Signal.RISK, Colour.GREEN) is None
    assert rule_for(always, Signal.RISK, Colour.BLUE) is not None


def test_the_first_rule_that_fits_is_followed():
    rules = (
        RunbookRule(signal=Signal.DRIFT, colour=Colour.YELLOW, measures=(Countermeasure.ASK_HUMAN,)),
        RunbookRule(colour=Colour.YELLOW, measures=(Countermeasure.TAKE_OFFLINE,)),
    )
    runbook = Runbook(service="alarm", rules=rules)
    assert rule_for(runbook, Signal.DRIFT, Colour.RED) is rules[0]
    assert rule_for(runbook, Signal.LATENCY, Colour.RED) is rules[1]


def test_owner_and_operator_change_a_runbook_and_nobody_else(store):
    service = keep_service(store)
    own = default_runbook("alarm").model_copy(update={"reporter": "critical_infrastructure"})
    for other in (OTHER_OWNER, SUPPLIER, REGULATOR):
        with pytest.raises(RefusedError):
            keep_runbook(store.as_actor(other), service, own)
    assert runbook_of(store.as_actor(OWNER), "alarm") == default_runbook("alarm")
    keep_runbook(store.as_actor(OWNER), service, own)
    assert runbook_of(store.as_actor(DESK), "alarm") == own
    again = own.model_copy(update={"rules": own.rules[:1]})
    keep_runbook(store.as_actor(DESK), service, again)
    assert runbook_of(store.as_actor(OWNER), "alarm") == again


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"book": "nowhere"}, "incident.no_book"),
        ({"reporter": "nobody"}, "incident.no_reporter"),
        ({"service": "other"}, "incident.other_service"),
    ],
)
def test_a_runbook_that_cannot_be_followed_is_not_taken(store, change, code):
    service = keep_service(store)
    with pytest.raises((InputError, RefusedError)) as caught:
        keep_runbook(store.as_actor(DESK), service, default_runbook("alarm").model_copy(update=change))
    assert caught.value.code == code
