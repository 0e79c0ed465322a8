"""Where a service stands: each move once for its cause, never less strictly than it stands, and logged."""

import pytest

from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Role, ServingState
from pilotbase.service.standing import ask_human, fall_back, history_of, restore, standing_of, take_offline
from pilotbase.workspace.actors import actor
from tests.service.services_for_tests import Served, digest

WHY = text("service.reason.by_hand", reason="because")


def test_falling_back_goes_to_the_next_that_holds_then_to_a_person(served: Served) -> None:
    served.serve(served.certify("3.0.0"), served.certify("2.0.0"), served.certify("1.0.0"), ask_human=True)
    served.revoke("2.0.0")
    stands = fall_back(served.view, "milling", WHY, digest("red"))
    assert (stands.state, stands.route) == (ServingState.FALLEN_BACK, 2)
    assert fall_back(served.view, "milling", WHY, digest("red again")).state is ServingState.HUMAN
    assert standing_of(served.view, "milling").cause == digest("red again")


def test_nothing_to_fall_back_to_and_no_person_stops_the_service(served: Served) -> None:
    served.serve()
    assert fall_back(served.view, "milling", WHY).state is ServingState.STOPPED


def test_a_move_is_made_once_for_its_cause_whatever_was_done_since(served: Served) -> None:
    served.serve(served.certify("2.0.0"), served.certify("1.0.0"))
    fall_back(served.view, "milling", WHY, digest("red"))
    restore(served.view, "milling", WHY)
    before = served.view.log_entries()
    assert fall_back(served.view, "milling", WHY, digest("red")).state is ServingState.SERVING
    assert served.view.log_entries() == before
    assert fall_back(served.view, "milling", WHY, digest("another")).state is ServingState.FALLEN_BACK
    assert [one.state.value for one in history_of(served.view, "milling")] == [
        "fallen_back",
        "serving",
        "fallen_back",
        "serving",
    ]


def test_a_request_that_moved_nothing_moves_nothing_when_it_is_sent_again(served: Served) -> None:
    served.serve(served.certify("2.0.0"), served.certify("1.0.0"))
    take_offline(served.view, "milling", WHY)
    request = served.view.asked_by(digest("request"))
    answered = take_offline(request, "milling", WHY)
    restore(served.view, "milling", WHY)
    assert take_offline(request, "milling", WHY) == answered
    assert standing_of(served.view, "milling").state is ServingState.SERVING


def test_nothing_is_handed_over_to_a_desk_that_is_not_declared(served: Served) -> None:
    served.serve(served.certify("1.0.0"))
    with pytest.raises(PilotbaseError) as caught:
        ask_human(served.view, "milling", WHY)
    assert caught.value.code == "service.no_desk"
    assert standing_of(served.view, "milling").state is ServingState.SERVING


def test_no_move_but_restoring_makes_it_stand_less_strictly(served: Served) -> None:
    served.serve(served.certify("2.0.0"), served.certify("1.0.0"), ask_human=True)
    take_offline(served.view, "milling", WHY)
    assert ask_human(served.view, "milling", WHY).state is ServingState.STOPPED
    assert fall_back(served.view, "milling", WHY).state is ServingState.STOPPED
    assert restore(served.view, "milling", WHY).state is ServingState.SERVING
    served.revoke("2.0.0")
    served.revoke("1.0.0")
    with pytest.raises(PilotbaseError) as caught:
        restore(served.view, "milling", WHY)
    assert caught.value.code == "service.nothing_to_restore"
    assert "forest 2.0.0 cannot answer: its certificate was revoked." in caught.value.render("en")
    assert "forest 2.0.0 不应答：其证书已被撤销。" in caught.value.render("zh")


def test_who_may_move_a_service(served: Served) -> None:
    served.serve()
    owner, supplier = actor("plant", Role.DEMAND_OWNER, person="o"), actor("acme", Role.SUPPLIER, person="s")
    others = actor("hospital", Role.DEMAND_OWNER, person="h")
    for who, code in ((supplier, "service.not_yours"), (others, "service.none_seen")):
        with pytest.raises(PilotbaseError) as caught:
            take_offline(served.store.as_actor(who), "milling", WHY)
        assert caught.value.code == code
    assert take_offline(served.store.as_actor(owner), "milling", WHY).state is ServingState.STOPPED
    assert [entry.action for entry in served.view.log_entries()][-1] == "service.take_offline"
