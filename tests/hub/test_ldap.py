"""Sign-in by a directory: a real slapd, whose groups say what people are; and what must not let anybody in."""

import pytest

from pilotbase.hub.configuration import HubConfiguration
from tests.hub.directories_for_tests import BASE, READER, SLAPD, running

pytestmark = pytest.mark.skipif(SLAPD is None, reason="no slapd on this machine: nobody signed in by a directory")
PASSWORD = "torque wrench 46 Nm"


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    with running(tmp_path_factory.mktemp("directory")) as found:
        found.add_person("xu", "xu@plant.example", PASSWORD, "Xu Lan")
        found.add_person("owner", "Owner@example.org", PASSWORD)
        found.add_person("lone", "lone@plant.example", PASSWORD)
        found.add_person("twin1", "twin@plant.example", PASSWORD)
        found.add_person("twin2", "twin@plant.example", PASSWORD)
        yield found


@pytest.fixture
def hub(one_world, directory, settings_of_hub, monkeypatch, tmp_path):
    from django.conf import settings
    from django.core.cache import cache

    from pilotbase.hub.models import Membership, Person

    cache.clear()
    kept, people = list(Membership.objects.all()), set(Person.objects.values_list("pk", flat=True))
    groups = tmp_path / "groups"
    groups.write_text(f"# who is what\nplant demand_owner cn=owners,{BASE}\nacme supplier cn=makers,{BASE}\n")
    settings_of_hub(
        ldap_url=directory.url,
        ldap_base=BASE,
        ldap_bind=READER,
        ldap_password_file=str(directory.folder / "password"),
        ldap_groups_file=str(groups),
    )
    monkeypatch.setattr(
        settings,
        "AUTHENTICATION_BACKENDS",
        [*settings.AUTHENTICATION_BACKENDS, "pilotbase.hub.people.joining.DirectoryBackend"],
    )
    yield one_world
    Person.objects.exclude(pk__in=people).delete()
    Membership.objects.all().delete()
    Membership.objects.bulk_create(kept)


def come(hub, email, password=PASSWORD):
    """Return the browser of somebody, and whether they are in."""
    browser = hub.client()
    answer = browser.post("/account/login/", {"login": email, "password": password})
    return browser, answer.status_code == 302


def roles(email):
    from pilotbase.hub.models import Membership

    return {one.organisation: one.roles for one in Membership.objects.filter(person__email__iexact=email)}


def test_groups_give_roles_and_take_them(hub, directory):
    directory.set_group("owners", "xu")
    browser, is_in = come(hub, "xu@plant.example")
    assert is_in and "Xu Lan" in browser.get("/account/").content.decode()
    assert roles("xu@plant.example") == {"plant": ["demand_owner"]}
    directory.set_group("owners")
    directory.set_group("makers", "xu")
    assert come(hub, "XU@plant.example")[1]
    assert roles("xu@plant.example") == {"acme": ["supplier"]}, "one account, whatever the spelling"
    directory.set_group("makers")
    assert come(hub, "xu@plant.example")[1] and roles("xu@plant.example") == {}


def test_whoever_has_an_account_keeps_it(hub, directory):
    directory.set_group("owners", "owner")
    browser, is_in = come(hub, "owner@example.org")
    assert is_in and browser.get("/api/me").json()["person"] == "p-owner"
    assert come(hub, "owner@example.org", "correct horse battery staple")[1], "the hub's own password still works"


def test_who_is_in_no_group_has_no_account(hub, directory):
    directory.set_group("owners")
    assert not come(hub, "lone@plant.example")[1]


@pytest.mark.parametrize("email", ["xu@plant.example", "nobody@plant.example", "twin@plant.example", "*",
                                   "*@plant.example", "xu@plant.example)(uid=*", "xu@plant.example\x00"])  # fmt: skip
@pytest.mark.parametrize("password", ["wrong", "", "*"])
def test_nobody_else_comes_in(hub, directory, email, password):
    directory.set_group("owners", "xu", "twin1", "twin2")
    assert not come(hub, email, password)[1]


@pytest.mark.parametrize(
    "email", ["*", "*@plant.example", "x*@plant.example", "xu@plant.example)(uid=*", "twin@plant.example"]
)
def test_a_right_password_opens_one_entry_only(hub, directory, email):
    """Signs with a meaning in filters are signs of an address."""
    from django.conf import settings

    from pilotbase.hub.people.joining import look_up

    assert look_up(settings.CONFIGURATION, email, PASSWORD) is None
    assert look_up(settings.CONFIGURATION, "xu@plant.example", PASSWORD) is not None
    assert look_up(settings.CONFIGURATION, "xu@plant.example", "") is None, "every directory lets anybody bind so"


def test_the_last_manager_stays_whatever_groups_say(hub, directory):
    from pilotbase.hub.models import Membership

    Membership.objects.filter(organisation="plant").update(manages=False)
    Membership.objects.filter(person__identity="p-owner").update(manages=True)
    directory.set_group("owners", "xu")
    assert come(hub, "xu@plant.example")[1]
    assert come(hub, "owner@example.org", PASSWORD)[1]
    assert roles("owner@example.org") == {"plant": ["demand_owner"]}


def test_a_blocked_account_stays_blocked(hub, directory):
    from pilotbase.hub.models import Person

    directory.set_group("owners", "xu")
    come(hub, "xu@plant.example")
    Person.objects.filter(email="xu@plant.example").update(is_active=False)
    assert not come(hub, "xu@plant.example")[0].session.get("_auth_user_id")


def test_tls_is_checked(hub, directory, settings_of_hub):
    from django.conf import settings

    from pilotbase.hub.people.joining import look_up
    from pilotbase.protocols.guarded_http import NoAnswerError

    settings_of_hub(ldap_url=directory.tls_url, ldap_ca_file=str(directory.folder / "own.pem"))
    assert look_up(settings.CONFIGURATION, "xu@plant.example", PASSWORD) is not None
    settings_of_hub(ldap_ca_file="")
    with pytest.raises(NoAnswerError):
        look_up(settings.CONFIGURATION, "xu@plant.example", PASSWORD)
    settings_of_hub(ldap_url=directory.tls_url.replace("localhost", "127.0.0.1"))
    with pytest.raises(NoAnswerError):
        look_up(settings.CONFIGURATION, "xu@plant.example", PASSWORD)


def test_tls_begins_before_a_password_goes_elsewhere(hub, directory, settings_of_hub, monkeypatch):
    """A directory beyond loopback that has no TLS to offer is told nothing."""
    from django.conf import settings

    from pilotbase.hub.people import joining
    from pilotbase.protocols.guarded_http import NoAnswerError

    monkeypatch.setattr(joining, "LOOPBACK", ())
    with pytest.raises(NoAnswerError):
        joining.look_up(settings.CONFIGURATION, "xu@plant.example", PASSWORD)
    settings_of_hub(
        ldap_url=directory.url.replace("127.0.0.1", "localhost"), ldap_ca_file=str(directory.folder / "own.pem")
    )
    assert joining.look_up(settings.CONFIGURATION, "xu@plant.example", PASSWORD) is not None


def test_a_directory_that_is_away_is_said_to_be_away(hub, directory):
    directory.stop()
    try:
        answer = hub.client(raise_request_exception=False).post(
            "/account/login/", {"login": "xu@plant.example", "password": PASSWORD}
        )
        assert answer.status_code == 422 and "directory" in answer.content.decode()
        assert come(hub, "owner@example.org", "correct horse battery staple")[1]
    finally:
        directory.start()


@pytest.mark.parametrize(
    "line", ["plant demand_owner", "plant king cn=x", "base operator cn=desk,dc=plant", "plant regulator cn=x"]
)
def test_a_file_of_groups_that_grants_too_much_or_nothing_is_refused(tmp_path, line):
    from pilotbase.documents.errors import InputError

    file = tmp_path / "groups"
    file.write_text(line)
    with pytest.raises(InputError):
        HubConfiguration.from_environment({"PILOTBASE_HOME": "home", "PILOTBASE_HUB_LDAP_GROUPS_FILE": str(file)})
