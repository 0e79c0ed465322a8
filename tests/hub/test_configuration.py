"""Settings: all problems at once, safe defaults, documented names."""

import re
from pathlib import Path

import pytest

from pilotbase.documents.errors import InputError
from pilotbase.hub.configuration import HubConfiguration, django_database, settings

DOC = Path(__file__).parents[2] / "docs" / "run-a-hub.md"


def problems(**environment):
    with pytest.raises(InputError) as caught:
        HubConfiguration.from_environment({"PILOTBASE_HOME": "/nowhere", **environment})
    return {issue.path: issue.problem.code for issue in caught.value.issues}


def test_every_problem_is_told_at_once():
    found = problems(
        PILOTBASE_HUB_URL="ftp://x",
        PILOTBASE_HUB_SESSION_HOURS="many",
        PILOTBASE_HUB_LANGAUGE="zh",
        PILOTBASE_HUB_LOG="xml",
    )
    assert found == {
        "PILOTBASE_HUB_URL": "hub.setting_invalid",
        "PILOTBASE_HUB_SESSION_HOURS": "hub.setting_invalid",
        "PILOTBASE_HUB_LOG": "hub.setting_invalid",
        "PILOTBASE_HUB_LANGAUGE": "hub.setting_unknown",
    }


@pytest.mark.parametrize(
    ("environment", "code"),
    [
        ({"PILOTBASE_HUB_URL": "http://hub.example"}, "hub.setting_insecure"),
        ({"PILOTBASE_HUB_OIDC_URL": "https://id.example"}, "hub.setting_oidc_half"),
        ({"PILOTBASE_HUB_LDAP_URL": "ldaps://directory.example"}, "hub.setting_ldap_half"),
        ({"PILOTBASE_HUB_LDAP_URL": "https://directory.example"}, "hub.setting_invalid"),
        ({"PILOTBASE_HUB_LDAP_CA_FILE": "/no/such/file"}, "hub.setting_no_file"),
        ({"PILOTBASE_HUB_OIDC_SECRET_FILE": "/no/such/file"}, "hub.setting_no_file"),
        ({"PILOTBASE_HUB_DATABASE": "mysql://x"}, "hub.setting_invalid"),
    ],
)
def test_what_contradicts_is_refused(environment, code):
    assert code in problems(**environment).values()


def test_a_password_in_a_setting_is_not_repeated():
    with pytest.raises(InputError) as caught:
        HubConfiguration.from_environment({"PILOTBASE_HUB_DATABASE": "mysql://u:hunter2@h/x"})
    assert "hunter2" not in caught.value.render("en")


def test_accounts_stand_in_the_home_or_beside_the_store():
    plain = HubConfiguration.from_environment({"PILOTBASE_HOME": "/home/base"})
    sqlite = django_database(plain, None)
    assert sqlite["NAME"] == "/home/base/hub.db" and sqlite["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    beside = django_database(plain, "postgresql://pilot:secret@db:5433/base")
    assert (beside["NAME"], beside["USER"], beside["HOST"], beside["PORT"]) == ("base", "pilot", "db", "5433")


def test_the_docs_name_every_setting_with_its_default():
    rows = dict(re.findall(r"^\| `(PILOTBASE_\w+)` \| ([^|]*) \|", DOC.read_text("utf-8"), re.MULTILINE))
    read = {one.variable: one.default for one in settings()}
    told = {name: default.strip().strip("`") for name, default in rows.items()}
    assert {name: value for name, value in told.items() if name.startswith("PILOTBASE_HUB_") or name in read} == read
