"""Which messages are sent when, and with which fault: from one seed, each at least once, and what is damaged is."""

import json

import pydantic
import pytest

from pilotbase.documents.exchanges import Exchange, Faults, Sending
from pilotbase.documents.scenario import TrialTerms
from pilotbase.protocols.exchanges.reading import FORMS
from pilotbase.protocols.strict_json import WireError
from pilotbase.trial.recorded_exchanges.replaying import with_faults

ALL = {"late": 0.1, "reordered": 0.1, "duplicated": 0.1, "missing": 0.1, "malformed": 0.1}
SHAPE = {"name": "one", "file": "f", "identifier": "/id", "fields": {"a": "/a", "b": "/b"}}
BODIES = [json.dumps({"id": str(number), "a": 1, "b": 2}).encode() for number in range(50)]
ROWS = [b"id,a,b\n%d,1,2\n" % number for number in range(50)]


def exchange(form="rest", **changed):
    fields = {"identifier": "id", "fields": {"a": "a", "b": "b"}} if form == "files" else {}
    return Exchange.model_validate({**SHAPE, "form": form, "faults": ALL, **fields, **changed})


def test_the_same_seed_sends_the_same_and_another_another():
    first, again = with_faults(exchange(), BODIES), with_faults(exchange(), BODIES)
    assert first == again
    assert first != with_faults(exchange(faults={**ALL, "seed": 2}), BODIES)


def test_every_message_is_sent_and_none_has_two_faults():
    sent = with_faults(exchange(), BODIES)
    once = [one for one in sent if not one.again]
    assert sorted(one.place for one in once) == list(range(50)) and len(sent) == 55
    found = {sending: sum(one.sending is sending for one in once) for sending in Sending}
    assert found == {**dict.fromkeys(found, 5), Sending.WHOLE: 23, Sending.OVERRIDDEN: 2}


def test_without_faults_everything_comes_as_it_was_recorded():
    sent = with_faults(exchange(faults={}, overridden=0), BODIES)
    assert [one.body for one in sent] == BODIES and {one.sending for one in sent} == {Sending.WHOLE}


@pytest.mark.parametrize("seed", range(20))
def test_late_ones_come_behind_newer_ones_and_repeated_ones_behind_themselves(seed):
    sent = with_faults(exchange(faults={**ALL, "seed": seed}), BODIES)
    at = {(one.place, one.again): number for number, one in enumerate(sent)}
    for one in sent:
        before = [other.place for other in sent[: at[one.place, one.again]]]
        if one.sending in (Sending.LATE, Sending.REORDERED):
            assert max(before) > one.place
        if one.again:
            assert one.sending is Sending.DUPLICATED and at[one.place, False] < at[one.place, True]
            assert one.body == BODIES[one.place]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(("form", "bodies"), [("rest", BODIES), ("files", ROWS)])
def test_what_is_damaged_is_no_message_and_what_lacks_a_field_is_one_without_it(form, bodies, seed):
    settled = exchange(form, faults={"malformed": 0.4, "missing": 0.4, "seed": seed})
    way = FORMS[settled.form]
    for one in with_faults(settled, bodies):
        if one.sending is Sending.MALFORMED:
            with pytest.raises(WireError):
                way.read(one.body)
        elif one.lacks is not None:
            tree = way.read(one.body)
            assert len(tree) == 2 and "id" in tree and one.lacks not in tree


def test_a_fault_asked_for_of_few_messages_is_on_one():
    sent = with_faults(exchange(overridden=1), BODIES[:7])
    assert {one.sending for one in sent} == set(Sending)


def test_what_cannot_be_replayed_is_refused():
    with pytest.raises(pydantic.ValidationError, match="90 % of the messages"):
        Faults(late=0.45, missing=0.45)
    with pytest.raises(pydantic.ValidationError, match="messages of one have no identifier"):
        exchange(identifier=None)
    with pytest.raises(pydantic.ValidationError, match="two exchanges are named one"):
        TrialTerms(exchanges=(exchange(), exchange()))
