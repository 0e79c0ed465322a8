"""A new version goes from a share of the calls to all of them, or back, by what really happened at the gateway."""

import contextlib
import json
import urllib.error
import urllib.request
from dataclasses import replace
from datetime import timedelta

import pytest

from pilotbase.certificate.status import IssuedCertificate
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Role, Scope
from pilotbase.gateway.configuration import GatewayConfiguration
from pilotbase.operations.services import EndRelease, NewService, NewVersion, ReleaseEnd
from pilotbase.service.admission import Premises
from pilotbase.service.creating import create_service
from pilotbase.service.draining import drain
from pilotbase.service.journal import journals_of
from pilotbase.service.registry import load_service
from pilotbase.service.releases import advance, end_release, release_version, releases_of
from pilotbase.service.standing import history_of, take_offline
from pilotbase.service.terms import list_budgets
from pilotbase.worker.trials.proving import prove
from pilotbase.workspace.actors import actor
from tests.gateway.gateways_for_tests import CASE, PROGRAM, listening, proven
from tests.trial.conftest import writing_application

CRASHES = PROGRAM.replace("6.5 in", "5.75 in")
"""Ends its box at a value that no case of the trial has, and that the old version answers."""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with proven() as place:
        folder = tmp_path_factory.mktemp("second")
        prove(place.base, place.scenario, writing_application(folder)(CRASHES, name="second"))
        yield place


@pytest.fixture(scope="module")
def live(place):
    with listening(place.base, GatewayConfiguration()) as live:
        yield live


class Shop:
    """One service, its release, and somebody who calls it."""

    def __init__(self, place, live, name):
        self.place, self.live, self.name, self.view = place, live, name, place.base.lab.view
        self.premises = Premises.of_home(place.base.home.path, place.base.trust.roots())
        found = [one.load(IssuedCertificate).certificate for one in self.view.find("issued-certificate")]
        self.old, self.new = sorted(found, key=lambda one: one.application.name != "alarm")
        place.certificate = self.old.serial
        place.serve(name, timeout_seconds=20)
        self.key = place.key(name)

    def release(self, view=None, **terms):
        wanted = NewVersion(service=self.name, certificate=self.new.serial, **terms)
        service = release_version(view or self.view, self.premises, wanted)
        upstreams = self.live.gateway.upstreams
        while not self.ask()[0] or not upstreams.is_ready(service, service.candidate):
            pass
        self.take_in()
        return service

    def ask(self, pressure=7.5, version=None, key=None):
        """Return the answer and the digest of the version that gave it."""
        place = f"/versions/{version}" if version else ""
        shapes = {"pressure": ("FP64", pressure), "age": ("INT64", CASE["age"]), "site": ("BYTES", CASE["site"])}
        inputs = [{"name": n, "datatype": t, "shape": [1], "data": [v]} for n, (t, v) in shapes.items()]
        request = urllib.request.Request(
            f"{self.live.url}/v2/models/{self.name}{place}/infer",
            json.dumps({"inputs": inputs}).encode(),
            {"Authorization": f"Bearer {key or self.key}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())["outputs"][0]["data"][0], answer.headers["Pilotbase-Version"]

    def take_in(self):
        drain(self.view, journals_of(self.place.base.home.path))
        return advance(self.view)

    def until_ended(self, pressure=7.5, most=600):
        """Call until the release has ended; return how often each version answered."""
        answered = []
        for number in range(most):
            answered.append(self.ask(pressure))
            if number % 10 == 9 and self.take_in():
                return answered
        raise AssertionError(releases_of(self.view, self.name))

    @property
    def first(self):
        return load_service(self.view, self.name).routes[0].application.name


@pytest.fixture
def shop(place, live, name):
    return Shop(place, live, name)


def test_a_new_version_that_serves_as_well_takes_over(shop):
    shop.release(share=0.5, margin=0.2, calls=20)
    answered = shop.until_ended()
    assert {said for said, _ in answered} == {"broken"}
    assert {version for _, version in answered} == {shop.old.application.digest, shop.new.application.digest}
    (found,) = releases_of(shop.view, shop.name)
    assert (found.state, found.new_failed, shop.first) == ("promoted", 0, "second") and found.new_calls >= 20
    service = load_service(shop.view, shop.name)
    assert service.release is None and [one.application.name for one in service.routes] == ["second", "alarm"]
    assert shop.ask()[1] == shop.new.application.digest
    assert "it took over" in history_of(shop.view, shop.name)[0].reason.render("en")


def test_one_that_fails_is_taken_back_within_few_calls_and_no_caller_notices(shop):
    shop.release(share=0.5)
    answered = shop.until_ended(pressure=5.75, most=80)
    assert {said for said, _ in answered} == {"fine"}  # the old version answered what the new one could not
    (found,) = releases_of(shop.view, shop.name)
    assert (found.state, shop.first) == ("rolled_back", "alarm") and 4 <= found.new_failed < 30 and not found.old_failed
    assert len(load_service(shop.view, shop.name).routes) == 1


def test_a_version_in_the_shadow_answers_nobody_and_then_its_share(shop):
    shop.release(shadow=10, share=0.5, margin=0.2, calls=10)
    versions = set()
    while load_service(shop.view, shop.name).release.shadows:
        versions.add(shop.ask()[1])
        shop.take_in()
    (found,) = releases_of(shop.view, shop.name)
    assert (found.shadow_calls, found.shadow_failed) == (found.shadow_alike, 0) and found.shadow_calls >= 10
    assert versions == {shop.old.application.digest} and found.new_calls == 0
    assert "is released to 50 % of the calls" in history_of(shop.view, shop.name)[0].reason.render("en")
    shop.until_ended()
    assert (releases_of(shop.view, shop.name)[0].state, shop.first) == ("promoted", "second")


def test_test_calls_go_to_the_old_version_and_show_nothing_of_the_new_one(shop):
    key = shop.place.key(shop.name, scope=Scope.TEST)
    shop.release(share=0.5)
    (before,) = releases_of(shop.view, shop.name)
    answered = []
    with pytest.raises(urllib.error.HTTPError, match="429"):  # few, so that no real work is passed off as tests
        for _ in range(1000):
            answered.append(shop.ask(key=key)[1])
    assert set(answered) == {shop.old.application.digest}
    shop.take_in()
    (after,) = releases_of(shop.view, shop.name)
    assert (after.new_calls, after.old_calls) == (before.new_calls, before.old_calls)


def test_a_version_that_fails_in_the_shadow_is_taken_back_before_it_answers_anybody(shop):
    shop.release(shadow=1000)
    before = releases_of(shop.view, shop.name)[0].shadow_failed
    answered = shop.until_ended(pressure=5.75)
    assert {version for _, version in answered} == {shop.old.application.digest}
    (found,) = releases_of(shop.view, shop.name)
    assert (found.state, found.new_calls, before) == ("rolled_back", 0, 0) and found.shadow_failed >= 4


def test_shadow_calls_cost_the_caller_nothing(shop):
    shop.release(shadow=1000)
    shop.place.budget("few", shop.name, calls=100)
    key = shop.place.key(shop.name, budget="few")
    asked = releases_of(shop.view, shop.name)[0].shadow_calls
    paid = 0
    while releases_of(shop.view, shop.name)[0].shadow_calls < asked + 3:
        shop.ask(key=key)
        shop.take_in()
        paid += 1
    (budget,) = list_budgets(shop.view, shop.name)
    assert budget.used_calls == paid


def test_a_share_of_keys_stays_with_one_version(shop):
    shop.release(share=0.5, unit="key")
    by_key = {key: {shop.ask(key=key)[1] for _ in range(5)} for key in [shop.place.key(shop.name) for _ in range(12)]}
    assert {len(versions) for versions in by_key.values()} == {1}
    assert len({one for versions in by_key.values() for one in versions}) == 2


def test_a_version_that_the_caller_insists_on_is_no_evidence(shop):
    shop.release(share=0.01)
    (before,) = releases_of(shop.view, shop.name)
    for _ in range(5):
        assert shop.ask(version=shop.new.application.digest)[1] == shop.new.application.digest
    shop.take_in()
    (after,) = releases_of(shop.view, shop.name)
    assert (before.new_calls, before.old_calls) == (after.new_calls, after.old_calls)


def test_answers_that_come_late_count_as_failed(shop):
    shop.release(share=0.5, slow_ms=0.001)
    for _ in range(8):
        shop.ask()
    shop.take_in()
    (found,) = releases_of(shop.view, shop.name)
    assert found.new_failed == found.new_calls and found.old_failed == found.old_calls > 0
    assert found.harm < 20  # both are as slow


def test_a_person_ends_it_once_and_the_time_ends_it_too(shop):
    shop.release()
    with pytest.raises(RefusedError) as running:
        shop.release()
    assert running.value.code == "service.release_running"
    with pytest.raises(RefusedError):
        create_service(shop.view, shop.premises, NewService(name=shop.name, certificate=shop.new.serial))
    end_release(shop.view, EndRelease(service=shop.name, end=ReleaseEnd.ROLL_BACK, reason="not today"))
    with pytest.raises(RefusedError) as over:
        end_release(shop.view, EndRelease(service=shop.name, end=ReleaseEnd.PROMOTE, reason="again"))
    assert over.value.code == "service.no_release"
    shop.release(days=1)
    end_release(shop.view, EndRelease(service=shop.name, end=ReleaseEnd.PROMOTE, reason="we know it"))
    assert shop.first == "second"
    assert [one.state for one in releases_of(shop.view, shop.name)] == ["promoted", "rolled_back"]


def test_a_release_that_time_ends_leaves_the_old_version(shop):
    shop.release(days=1)
    later = shop.view.store.clock() + timedelta(days=1)
    view = replace(shop.view, store=replace(shop.view.store, clock=lambda: later))
    (ended,) = [one for one in advance(view) if one.state == "ended"]
    assert (ended.version, shop.first) == ("second 1.0.0", "alarm")
    assert advance(view) == []


def test_a_stopped_service_promotes_nothing_and_stays_stopped(shop):
    shop.release(share=0.5, margin=0.2, calls=1)
    take_offline(shop.view, shop.name, text("service.reason.by_hand", reason="smoke"))
    with contextlib.suppress(urllib.error.HTTPError):
        shop.ask()
    with pytest.raises(RefusedError) as promoted:
        end_release(shop.view, EndRelease(service=shop.name, end=ReleaseEnd.PROMOTE, reason="now"))
    assert promoted.value.code == "service.release_needs_serving"
    end_release(shop.view, EndRelease(service=shop.name, end=ReleaseEnd.ROLL_BACK, reason="smoke"))
    assert history_of(shop.view, shop.name)[0].state == "stopped"


def test_only_who_may_put_into_service_may_release(shop):
    stranger = shop.view.store.as_actor(actor("acme", Role.SUPPLIER))
    with pytest.raises(RefusedError):
        shop.release(view=stranger)
    same = NewVersion(service=shop.name, certificate=shop.old.serial)
    with pytest.raises(RefusedError) as caught:
        release_version(shop.view, shop.premises, same)
    assert caught.value.code == "service.release_same"
