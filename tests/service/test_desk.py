"""What the desk admits and refuses, and that it never overspends."""

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.permissions import Act
from pilotbase.documents.vocabularies import CallEnd, Scope, ServingState
from pilotbase.service.budgets import spending_of
from pilotbase.service.calls import Cost
from pilotbase.service.desk import CallDispatcher, TooManyCallsError
from pilotbase.service.draining import drain
from pilotbase.service.registry import keys_of
from pilotbase.service.terms import usage_by_day
from pilotbase.worker.reactions.followed import of_limits
from tests.catalogue.records_for_tests import COMMISSION, DESK
from tests.service.services_for_tests import Served, SignedTrial


def refusal(
    desk: CallDispatcher, secret: str, service: str = "milling", scope: Scope = Scope.INFER, tokens: int = 0
) -> str:
    with pytest.raises(PilotbaseError) as caught:
        desk.admit(secret, service, Cost(1, tokens), scope)
    assert caught.value.render("zh") != caught.value.render("en")
    assert secret not in caught.value.render()
    return caught.value.code


def test_a_call_is_admitted_on_the_route_that_stands(served: Served) -> None:
    service = served.serve()
    secret = served.key()
    with served.desk() as desk:
        admission = desk.admit(secret, "milling", Cost())
        assert (admission.service, admission.route) == (service, service.routes[0])
        assert desk.services(secret) == [service]
        desk.settle(admission, Cost())


def test_keys_that_do_not_open_a_service(served: Served, clock) -> None:
    served.serve()
    served.serve(served.certify("2.0.0"), name="press")
    good, short = served.key(), served.key(days=1)
    observer = served.key(scopes=frozenset({Scope.OBSERVE}))
    with served.desk() as desk:
        assert refusal(desk, "pbk_guess") == "service.unknown_key"
        assert refusal(desk, "letmein") == "service.unknown_key"
        assert refusal(desk, observer) == "service.wrong_scope"
        assert desk.admit(observer, "milling", Cost(), Scope.OBSERVE).route
        assert refusal(desk, good, "press") == refusal(desk, good, "nothing") == "service.unknown_service"
        desk.admit(short, "milling", Cost())
        clock.step(86_400)
        assert refusal(desk, short) == "service.key_expired"
        clock.step(-3600)
        assert refusal(desk, short) == "service.key_expired"
        desk.admit(good, "milling", Cost())


def test_a_test_call_is_counted_and_shows_nothing_to_the_watch(served: Served) -> None:
    served.serve()
    secret, batches = served.key(scopes=frozenset({Scope.TEST})), []
    with served.desk() as desk:
        admission = desk.admit(secret, "milling", Cost())
        desk.settle(admission, Cost(), served.observed("a", "b"))
        drain(served.view, served.journals, batches.extend)
    assert not batches
    (row,) = usage_by_day(served.view, "milling")
    assert (row.calls, row.cases) == (1, 0)


def test_what_is_changed_in_the_store_holds_at_the_next_call(any_served: Served) -> None:
    any_served.serve()
    secret = any_served.key()
    with any_served.desk() as desk:
        desk.admit(secret, "milling", Cost())
        any_served.stand(ServingState.STOPPED)
        assert refusal(desk, secret) == "service.stopped"
        any_served.stand(ServingState.HUMAN)
        assert refusal(desk, secret) == "service.stopped"  # nobody is there: its terms declare no desk
        any_served.stand(ServingState.SERVING)
        any_served.suspend()
        assert refusal(desk, secret) == "service.certificate_suspended"
        any_served.reinstate()
        assert desk.admit(secret, "milling", Cost()).route
        any_served.revoke()
        assert refusal(desk, secret) == "service.certificate_revoked"
        any_served.withdraw(keys_of(any_served.view, "milling")[0].identity)
        assert refusal(desk, secret) == "service.key_revoked"


def test_a_call_under_way_is_told_when_it_may_not_go_on(served: Served) -> None:
    older, newer = served.certify("1.0.0"), served.certify("2.0.0")
    served.serve(newer, older, ask_human=True)
    secret = served.key()
    with served.desk() as desk:
        call = desk.admit(secret, "milling", Cost())
        assert desk.may_go_on(call)
        served.stand(ServingState.STOPPED)
        assert not desk.may_go_on(call)
        served.stand(ServingState.HUMAN)
        assert not desk.may_go_on(call)
        served.stand(ServingState.SERVING)
        assert desk.may_go_on(call)
        served.revoke("2.0.0")
        assert not desk.may_go_on(call)
        assert desk.may_go_on(desk.admit(secret, "milling", Cost()))


def test_what_is_decided_in_the_record_of_its_trial_holds_before_any_worker_runs(served: Served) -> None:
    trial = SignedTrial(served)
    trial.reach("certified")
    served.serve_trial(trial)
    secret = served.key()
    with served.desk() as desk:
        assert desk.admit(secret, "milling", Cost()).route
        trial.do(DESK, COMMISSION, Act.CERTIFICATE_SUSPEND)
        assert refusal(desk, secret) == "service.certificate_suspended"
        trial.do(DESK, COMMISSION, Act.CERTIFICATE_REINSTATE)
        assert desk.admit(secret, "milling", Cost()).route
        trial.do(DESK, COMMISSION, Act.CERTIFICATE_REVOKE)
        assert refusal(desk, secret) == "service.certificate_revoked"


def test_an_earlier_certified_version_answers_then_a_person(served: Served, clock) -> None:
    older, newer = served.certify("1.0.0", days=50), served.certify("2.0.0", days=100)
    service = served.serve(newer, older, ask_human=True)
    secret = served.key()
    with served.desk() as desk:
        assert desk.admit(secret, "milling", Cost()).route == service.routes[0]
        served.revoke("2.0.0")
        assert desk.admit(secret, "milling", Cost()).route == service.routes[1]
        clock.step(timedelta(days=51).total_seconds())
        assert desk.admit(secret, "milling", Cost()).route is None


def test_a_certificate_that_ran_out_answers_no_more(served: Served, clock) -> None:
    served.serve(served.certify(days=10))
    secret = served.key()
    with served.desk() as desk:
        desk.admit(secret, "milling", Cost())
        clock.step(10 * 86_400)
        assert refusal(desk, secret) == "service.certificate_expired"


def test_a_hundred_concurrent_calls_on_a_nearly_empty_budget(any_served: Served) -> None:
    any_served.serve()
    secret = any_served.key(any_served.budget(calls=1000, tokens=37 * 50))
    started = threading.Barrier(50)

    def call(number: int) -> int:
        if number < 50:
            started.wait(20)
        try:
            admission = desk.admit(secret, "milling", Cost(1, 50))
        except PilotbaseError as error:
            assert error.code in ("service.budget_spent", "service.budget_held")
            return 0
        desk.settle(admission, Cost(1, 50))
        return 1

    with any_served.desk() as desk, ThreadPoolExecutor(50) as pool:
        assert sum(pool.map(call, range(100))) == 37
        assert refusal(desk, secret, tokens=50) == "service.budget_spent"
    assert any_served.gone() == Cost(37, 37 * 50)


def test_what_was_reserved_and_not_used_goes_back(served: Served) -> None:
    served.serve()
    secret = served.key(served.budget(tokens=100))
    with served.desk() as desk:
        first = desk.admit(secret, "milling", Cost(1, 100))
        assert refusal(desk, secret, tokens=1) == "service.budget_held"
        assert refusal(desk, secret, tokens=101) == "service.budget_spent"
        desk.settle(first, Cost(1, 30))
        second = desk.admit(secret, "milling", Cost(1, 70))
        desk.settle(second, Cost(1, 500))  # an endpoint that uses more than it may: the budget is never overspent
        with pytest.raises(ValueError, match="not open"):
            desk.settle(second, Cost(1, 1))
    assert served.gone() == Cost(0, 100)


def test_what_a_desk_holds_is_told_apart_from_what_is_used(served: Served) -> None:
    served.serve()
    secret = served.key(served.budget(calls=1000, tokens=100_001))
    with served.desk() as desk:
        desk.settle(desk.admit(secret, "milling", Cost(1, 10)), Cost(1, 10))
        (spending,) = spending_of(served.view, "milling")
        assert (spending.used, spending.held) == (Cost(0, 0), Cost(1000 // 16, 100_001 // 16)), "not yet taken in"
    drain(served.view, served.journals)
    (spending,) = spending_of(served.view, "milling")
    assert (spending.used, spending.held) == (Cost(1, 10), Cost(0, 0))


def test_a_budget_of_a_month_begins_again(served: Served, clock) -> None:
    served.serve()
    secret = served.key(served.budget(calls=2, period="month"), days=90)
    with served.desk() as desk:
        for _ in range(2):
            desk.settle(desk.admit(secret, "milling", Cost()), Cost())
        assert refusal(desk, secret) == "service.budget_spent"
        clock.step(31 * 86_400)
        desk.admit(secret, "milling", Cost())
        clock.step(-31 * 86_400)  # set back: the month that was is spent, the one that came goes on
        desk.admit(secret, "milling", Cost())
        assert refusal(desk, secret) == "service.budget_held"


def test_what_another_desk_was_allotted_may_come_back(any_served: Served) -> None:
    any_served.serve()
    secret = any_served.key(any_served.budget(calls=2))
    with any_served.desk() as other, any_served.desk() as desk:
        calls = [other.admit(secret, "milling", Cost()) for _ in range(2)]
        assert refusal(desk, secret) == "service.budget_held"
        for call in calls:
            other.settle(call, Cost())
        drain(any_served.view, any_served.journals)
        assert refusal(desk, secret) == "service.budget_spent"


def test_a_budget_that_was_lowered_holds_at_once(served: Served) -> None:
    served.serve()
    secret = served.key(served.budget(calls=1000))
    with served.desk() as desk:
        desk.admit(secret, "milling", Cost())
        served.budget(calls=2)
        desk.admit(secret, "milling", Cost())
        assert refusal(desk, secret) == "service.budget_held"
        served.budget(calls=3)
        desk.admit(secret, "milling", Cost())


def test_a_hundred_concurrent_calls_stop_before_an_error_more_could_be_paid(any_served: Served) -> None:
    any_served.serve()
    secret = any_served.key()
    any_served.expose(loss=10_000, error_cost=100, error_rate=0.5)
    started = threading.Barrier(50)

    def call(number: int) -> int:
        if number < 50:
            started.wait(60)
        try:
            admission = desk.admit(secret, "milling", Cost(), cases=lambda: 3)
        except PilotbaseError as error:
            assert error.code == "service.exposure_spent"
            return 0
        desk.settle(admission, Cost(), any_served.observed("a"))
        return 3

    with any_served.desk() as desk, ThreadPoolExecutor(50) as pool:
        assert sum(pool.map(call, range(100))) == 198, "200 cases: the next three would pass it"
        assert desk.admit(secret, "milling", Cost(), cases=lambda: 2).route
        assert refusal(desk, secret) == "service.exposure_spent"
    assert any_served.exposed() == 200


def test_owner_and_operator_are_notified_once_when_a_limit_is_four_fifths_used(served: Served) -> None:
    served.serve()
    secret, told = served.key(), list[tuple[str, str, str]]()
    served.expose(cases=10)
    with served.desk() as desk:
        for used in range(1, 11):
            admission = desk.admit(secret, "milling", Cost(), cases=lambda: 1)
            desk.settle(admission, Cost(), served.observed("a"))
            drafts = list(of_limits(served.view))
            assert bool(drafts) == (served.exposed() >= 8 or bool(told)), used
            told += [(one.address.organisation, str(one.address.role), one.identity) for one in drafts]
    assert {(organisation, role) for organisation, role, _ in told} == {("plant", ""), ("", "operator")}
    assert len({identity for _, _, identity in told}) == 2, "each notice is stored once"
    served.expose(cases=10)
    assert list(of_limits(served.view)) == [], "a new limit starts from zero"


def test_where_a_person_answers_one_takes_over_once_the_exposure_is_used_up(served: Served) -> None:
    served.serve(ask_human=True)
    secret = served.key()
    served.expose(people=5, people_per_case=2)
    with served.desk() as desk:
        for _ in range(2):
            desk.settle(desk.admit(secret, "milling", Cost()), Cost(), served.observed("a"))
        last = desk.admit(secret, "milling", Cost())
        assert (last.route, last.further) == (None, ())
        served.expose(cases=1)
        assert desk.admit(secret, "milling", Cost()).route, "granted anew, it begins anew"


def test_only_what_an_application_was_asked_counts_as_exposed(served: Served) -> None:
    served.serve()
    secret = served.key(served.budget(calls=4))
    served.expose(cases=10)
    with served.desk() as desk:
        desk.settle(desk.admit(secret, "milling", Cost()), Cost(0))
        desk.settle(desk.admit(secret, "milling", Cost()), Cost(), served.observed("a", end=CallEnd.HUMAN))
        desk.settle(desk.admit(secret, "milling", Cost()), Cost(), served.observed("a", end=CallEnd.TIMED_OUT))
        desk.settle(desk.admit(secret, "milling", Cost()), Cost(), served.observed("a"))
        desk.settle(desk.admit(secret, "milling", Cost()), Cost(), served.observed("a"))
        assert refusal(desk, secret) == "service.budget_spent", "and then nothing is exposed either"
    drain(served.view, served.journals)
    assert (served.exposed(), served.gone()) == (3, Cost(4, 0))


def test_all_services_of_a_scenario_share_its_exposure(served: Served) -> None:
    certificate = served.certify()
    for name in ("milling", "press"):
        served.serve(certificate, name=name, scenario="scenario:plant/milling")
    served.expose(cases=1)
    with served.desk() as desk:
        desk.settle(desk.admit(served.key(service="press"), "press", Cost()), Cost(), served.observed("a"))
        assert refusal(desk, served.key()) == "service.exposure_spent"
    assert served.exposed("press") == served.exposed() == 1


def test_secrets_stand_nowhere(served: Served, tmp_path) -> None:
    served.serve()
    secret = served.key(served.budget(calls=10))
    with served.desk() as desk:
        desk.settle(desk.admit(secret, "milling", Cost()), Cost(), served.observed("a"))
    held = [path for path in tmp_path.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
    assert held == []


def test_a_key_makes_so_many_calls_a_minute_a_sixth_of_them_at_once(served: Served, clock) -> None:
    served.serve()
    secret, other = served.key(calls_a_minute=12), served.key()
    with served.desk() as desk:
        for _ in range(2):
            desk.admit(secret, "milling", Cost())
        with pytest.raises(TooManyCallsError) as caught:
            desk.admit(secret, "milling", Cost())
        assert (caught.value.code, caught.value.seconds) == ("service.rate_limited", 5)
        desk.admit(other, "milling", Cost())
        admitted = 0
        for _ in range(120):
            clock.step(0.5)
            with contextlib.suppress(TooManyCallsError):
                desk.admit(secret, "milling", Cost())
                admitted += 1
        assert admitted == 12


def test_a_call_that_its_budget_does_not_cover_counts_for_no_minute(served: Served) -> None:
    served.serve()
    secret = served.key(served.budget(calls=1), calls_a_minute=12)
    with served.desk() as desk:
        desk.settle(desk.admit(secret, "milling", Cost()), Cost())
        for _ in range(3):
            assert refusal(desk, secret) == "service.budget_spent"
