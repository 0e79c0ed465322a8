"""Imports in the hub: a preview with every problem, one confirmation, all of it or nothing; the operator alone."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from pilotbase.catalogue.figures import read_targets
from pilotbase.catalogue.records import load_record
from pilotbase.workspace.failures import NotFoundError
from tests.catalogue.records_for_tests import DESK
from tests.hub.worlds_for_tests import PEOPLE

HEAD = "name,title_en,title_zh,roles,contact,related\n"


@pytest.fixture
def base(one_world):
    from django.core import mail

    mail.outbox = []
    return one_world


def hand_in(made, kind, content, who="desk", name="list.csv", language="en"):
    """Choose a file; return the answer and, when it was taken, the page of the preview."""
    browser = made.client(who, HTTP_ACCEPT_LANGUAGE=language)
    data = content if isinstance(content, bytes) else content.encode()
    answer = browser.post(f"/import/{kind}/", {"file": SimpleUploadedFile(name, data)})
    if answer.status_code != 302:
        return browser, answer, ""
    return browser, answer, browser.get(answer["Location"]).content.decode()


def confirm(browser, answer, page):
    mark = re.search(r'name="mark" value="([^"]+)"', page)
    return browser.post(f"{answer['Location']}confirm/", {"mark": mark[1] if mark else ""}, follow=True)


def organisation_there(made, name):
    try:
        return load_record(made.trial.store.as_actor(DESK), f"organisation:{name}")[0]
    except NotFoundError:
        return None


def test_nothing_happens_before_it_is_confirmed_and_then_all_of_it(base):
    content = (
        f"{HEAD}river,River Hospital,江滨医院,demand_owner,office@river.example,\nlake,Lake,,supplier;reviewer,,\n"
    )
    browser, answer, page = hand_in(base, "organisations", content)
    assert "Nothing was changed yet" in page and "江滨医院" in page
    assert organisation_there(base, "river") is None
    done = confirm(browser, answer, page).content.decode()
    assert "2 organisations imported." in done
    assert organisation_there(base, "river").title.zh == "江滨医院" and organisation_there(base, "lake")
    assert browser.get(answer["Location"]).status_code == 404, "the file is erased"


@pytest.mark.parametrize(("language", "said"), [("en", "one of: operator"), ("zh", "以下之一：operator")])
def test_one_wrong_row_keeps_all_out_and_every_problem_is_said(base, language, said):
    content = f"{HEAD}good,Good,,supplier,,\nBad Name,=1+1,,doctor,,\n"
    browser, answer, page = hand_in(base, "organisations", content, language=language)
    assert said in page and 'name="mark"' not in page
    rows = re.findall(r'class="number">(\d+)</th><td data-label="[^"]+">[^<]+</td>', page)
    assert rows == ["3", "3", "3"]
    listed = browser.get(f"{answer['Location']}problems.csv")
    assert listed.content.startswith(b"\xef\xbb\xbf") and b"'=1+1" in listed.content
    assert listed.content.count(b"\r\n") == 4
    browser.post(f"{answer['Location']}confirm/", {"mark": "sha256:0"})
    assert organisation_there(base, "good") is None
    browser.post(f"{answer['Location']}cancel/")
    assert browser.get(answer["Location"]).status_code == 404


def test_what_has_changed_meanwhile_is_shown_before_anything_is_done(base):
    content = f"{HEAD}meadow,Meadow,,supplier,,\n"
    browser, answer, page = hand_in(base, "organisations", content)
    other, second, other_page = hand_in(base, "organisations", f"{HEAD}meadow,Other meadow,,supplier,,\n", "planner")
    confirm(other, second, other_page)
    seen = confirm(browser, answer, page).content.decode()
    assert "Something changed since you previewed" in seen
    assert organisation_there(base, "meadow").title.en == "Other meadow"
    assert "1 organisation imported." in confirm(browser, answer, seen).content.decode()
    assert organisation_there(base, "meadow").title.en == "Meadow"


def test_people_become_invitations_by_mail_in_their_language(base):
    from django.core import mail

    from pilotbase.hub.models import Invitation

    content = (
        "email,organisation,roles,language\nli@plant.example,plant,demand_owner,zh\nxu@acme.example,acme,supplier,\n"
    )
    browser, answer, page = hand_in(base, "people", content)
    assert Invitation.objects.filter(email="li@plant.example").count() == 0 and mail.outbox == []
    assert "2 people invited" in confirm(browser, answer, page).content.decode()
    assert sorted(one.to[0] for one in mail.outbox) == ["li@plant.example", "xu@acme.example"]
    chinese = next(one for one in mail.outbox if one.to == ["li@plant.example"])
    link = re.search(r"/invitations/[^/\s]+/", chinese.body)[0]
    assert re.search(r"[\u4e00-\u9fff]", chinese.subject)
    assert base.client().get(link).status_code == 200
    _, _, again = hand_in(base, "people", content)
    assert "Unchanged" in again and 'name="mark"' not in again
    logged = [
        one for one in base.trial.store.as_actor(DESK).log_entries(limit=100_000) if one.action == "invitation.sent"
    ]
    assert len(logged) == 2 and not any("li@" in str(one.facts) for one in logged)


def test_people_of_unknown_organisations_are_refused(base):
    _, _, page = hand_in(base, "people", "email,organisation,roles\na@b.example,nowhere,supplier\n")
    assert "import organisations first" in page


def test_targets_reach_the_overview(base):
    from datetime import UTC, datetime

    year = datetime.now(UTC).year
    browser, answer, page = hand_in(base, "targets", f"年份,指标项,行业,行动,数量\n{year},opened,能源资源,,12\n")
    done = confirm(browser, answer, page).content.decode()
    assert "1 target set." in done and f"Targets of {year}" in done
    assert [target.number for target in read_targets(base.trial.store.as_actor(DESK)).targets] == [12]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("list.txt", b"name\nx\n", ".csv or .xlsx"),
        ("list.csv", b"", "empty"),
        ("list.csv", b"name\n\xff\xff\n", "encoding"),
        ("list.xlsx", b"PK\x03\x04", "cannot be read"),
        ("../../etc/list.csv", b"name,roles\nBad Name,x\n", "Preview of list.csv"),
        ("list.csv", b"<script>alert(1)</script>,roles\nx,y\n", "&lt;script&gt;"),
    ],
)
def test_files_that_are_no_good_are_said_to_be(base, name, content, said):
    _, answer, page = hand_in(base, "organisations", content, name=name)
    shown = page or answer.content.decode()
    assert said in shown and "<script>alert" not in shown


@pytest.mark.parametrize(
    ("kind", "language", "column"),
    [("organisations", "en", "Roles"), ("people", "zh", "角色"), ("targets", "zh", "年份")],
)
def test_a_template_opens_in_a_spreadsheet_and_can_be_handed_in(base, kind, language, column):
    answer = base.client("desk", HTTP_ACCEPT_LANGUAGE=language).get(f"/import/{kind}/template.csv")
    assert answer.content.startswith(b"\xef\xbb\xbf") and "attachment" in answer["Content-Disposition"]
    header = answer.content.decode("utf-8-sig").strip().split(",")
    assert column in header
    _, taken, page = hand_in(base, kind, answer.content + b"x," * (len(header) - 1) + b"x\r\n")
    assert taken.status_code == 302 and "column" not in re.findall(r'class="long"><code>([^<]*)', page)


def test_another_operator_of_the_base_sees_the_file_and_nobody_else_does(base):
    _, answer, _ = hand_in(base, "organisations", f"{HEAD}hill,Hill,,supplier,,\n")
    for who in ("planner", "owner", "regulator", "stranger"):
        codes = {
            base.client(who).get("/import/").status_code,
            base.client(who).get("/import/organisations/").status_code,
            base.client(who).get(answer["Location"]).status_code,
            base.client(who).post(f"{answer['Location']}confirm/").status_code,
        }
        assert codes == ({200} if PEOPLE[who][1] == "operator" else {404}), who
    assert base.client().get("/import/").status_code == 302
    assert organisation_there(base, "hill") is None
    assert base.client("desk").get("/import/nothing/").status_code == 404


def test_forms_from_elsewhere_are_refused(base):
    _, answer, _ = hand_in(base, "organisations", f"{HEAD}hill,Hill,,supplier,,\n")
    browser = base.client("desk", enforce_csrf_checks=True)
    assert browser.post(f"{answer['Location']}confirm/", {"mark": "x"}).status_code == 403


def organisations(number):
    return HEAD + "".join(f"bulk-{place},Organisation {place},单位 {place},supplier,,\n" for place in range(number))


@pytest.mark.prove
def test_two_thousand_organisations_in_one_transaction(base):
    browser, answer, page = hand_in(base, "organisations", organisations(2_000))
    assert ">2,000<" in page
    confirm(browser, answer, page)
    assert organisation_there(base, "bulk-1999") is not None


@pytest.mark.prove
def test_ten_thousand_people_in_one_transaction(base):
    from pilotbase.hub.models import Invitation

    rows = "".join(f"person-{place}@plant.example,plant,demand_owner,\n" for place in range(10_000))
    browser, answer, page = hand_in(base, "people", f"email,organisation,roles,language\n{rows}")
    assert "10000 people invited" in confirm(browser, answer, page).content.decode()
    assert Invitation.objects.filter(email="person-9999@plant.example").exists()
