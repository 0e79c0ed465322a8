"""Who is enrolled as a site, by whose word, and who never again."""

import json

import pytest

from pilotbase.documents.errors import InputError, InvalidProofError, RefusedError
from pilotbase.documents.hashes import hex_of
from pilotbase.documents.site import Release
from pilotbase.documents.vocabularies import Role
from pilotbase.worker.base import open_base
from pilotbase.worker.sites.enrolling import (
    enrol_site,
    find_site,
    known_sites,
    look_at_enrolment,
    revoke_site,
    site_lines,
)
from pilotbase.worker.sites.packing import PackOrder, pack_for_site
from pilotbase.workspace.actors import actor
from pilotbase.workspace.failures import NotFoundError
from tests.worker.sites.homes_for_tests import two_homes


@pytest.fixture
def homes(tmp_path):
    with two_homes(tmp_path) as homes:
        yield homes


def key_of(file):
    return look_at_enrolment(file).roots.roots[-1].key.key_id


def test_a_site_is_enrolled_by_the_key_that_its_owner_names_and_by_no_other(homes):
    file, view = homes.offer(), homes.base.lab.view
    key = key_of(file)
    for wrong in ("", hex_of(key)[:19], "sha256:" + "0" * 64, hex_of(key)[1:]):
        with pytest.raises(RefusedError) as told:
            enrol_site(homes.base, view, file, wrong)
        assert told.value.code == "site.other_key" and key in told.value.render("en")
    assert known_sites(view) == []
    assert enrol_site(homes.base, view, file, hex_of(key)[:20].upper()).site == "plant-site"
    (known,) = known_sites(view)
    assert any("none of them in this file" in line.render("en") for line in site_lines(known))


def test_owner_and_operator_enrol_and_see_a_site_and_nobody_else_does(homes):
    file = homes.offer()
    store, key = homes.base.lab.store, key_of(file)
    owner = store.as_actor(actor("plant", Role.DEMAND_OWNER))
    other = store.as_actor(actor("acme", Role.SUPPLIER))
    with pytest.raises(RefusedError):
        enrol_site(homes.base, other, file, key)
    enrol_site(homes.base, owner, file, key)
    assert find_site(owner, "plant-site") is not None and find_site(other, "plant-site") is None
    with pytest.raises(NotFoundError):
        revoke_site(other, "plant-site", "mischief")
    assert revoke_site(owner, "plant-site", "sold").reason == "sold"


def test_a_revoked_site_and_its_key_come_back_under_no_name(homes, tmp_path):
    homes.enrol()
    revoked = revoke_site(homes.base.lab.view, "plant-site", "stolen")
    assert revoke_site(homes.base.lab.view, "plant-site", "again") == revoked
    with pytest.raises(RefusedError) as told:
        homes.enrol()
    assert told.value.code == "site.revoked"
    with pytest.raises(RefusedError) as told:
        pack_for_site(homes.base, PackOrder("plant-site", "small-alarm", homes.application()), tmp_path / "x.pack")
    assert told.value.code == "site.revoked" and not (tmp_path / "x.pack").exists()


def test_an_enrolment_that_was_altered_is_refused(homes):
    file = homes.offer()
    envelope = json.loads(file.read_bytes())
    for place in (30, 2000, -40):
        letters = list(envelope["payload"])
        letters[place] = "A" if letters[place] != "A" else "B"
        file.write_text(json.dumps({**envelope, "payload": "".join(letters)}))
        with pytest.raises(InvalidProofError):
            look_at_enrolment(file)


def test_a_site_that_offers_anew_is_brought_up_to_date_and_goes_on_from_where_it_was(homes):
    first = homes.offer(name="first.json")
    homes.enrol(first)
    homes.enrol(homes.offer(Release(smallest_cell=25), "second.json"))
    known = find_site(homes.base.lab.view, "plant-site")
    assert known.enrolment.release.smallest_cell == 25
    with pytest.raises(RefusedError) as told:
        homes.enrol(first)
    assert told.value.code in ("site.older_enrolment", "site.log_rolled_back")
    assert find_site(homes.base.lab.view, "plant-site") == known


def test_another_machine_under_a_known_name_is_refused(homes, tmp_path, monkeypatch):
    homes.enrol()
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "other"))
    homes.site.lab.close()
    homes.site = open_base(create=True, name="plant-site")
    with pytest.raises(RefusedError) as told:
        homes.enrol(homes.offer(name="other.json"))
    assert told.value.code == "site.other_log"


def test_an_order_that_cannot_be_is_refused_in_words(homes, tmp_path):
    homes.enrol()
    application, out = homes.application(), tmp_path / "x.pack"
    for order, code in [
        (PackOrder("nowhere", "small-alarm", application), "site.unknown"),
        (PackOrder("plant-site", "other-alarm", application), "site.not_offered"),
        (PackOrder("plant-site", "small-alarm", application, 0), "site.days"),
        (PackOrder("plant-site", "small-alarm", application, 10_000), "site.days"),
    ]:
        with pytest.raises(InputError) as told:
            pack_for_site(homes.base, order, out)
        assert told.value.code == code and not out.exists()
