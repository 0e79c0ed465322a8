"""Every address × person × organisation, against tables written by hand: what is not to be seen does not exist."""

import json
import re

import pytest
from django.urls import resolve

from pilotbase.documents.permissions import Act
from pilotbase.operations import declared
from tests.catalogue.agreements_for_tests import agree, dataset, publish
from tests.catalogue.records_for_tests import OTHER_OWNER, OTHER_SUPPLIER, commission, proposal, scenario, version
from tests.hub.pools_for_tests import Hall
from tests.hub.reaches_for_tests import ACTS, COLUMNS, PAGES
from tests.hub.services_for_tests import serve
from tests.hub.worlds_for_tests import PEOPLE as WORLD
from tests.watch.incidents_for_tests import keep_service, open_one


@pytest.fixture(scope="module")
def certified(any_world):
    trial = any_world.trial
    trial.reach("certified")
    agree(trial, publish(trial, dataset()))
    xray = scenario((), name="xray", owner={"organisation": "hospital"})
    trial.do(OTHER_OWNER, "scenario:hospital/xray", Act.SCENARIO_REGISTER, xray)
    trial.do(
        OTHER_SUPPLIER, "application:globex/pine", Act.APPLICATION_REGISTER, version(name="pine", supplier="globex")
    )
    keep_service(trial.store)
    open_one(trial.store)
    serve(any_world)
    any_world.digests = {
        "milling": _hex(trial.scenario),
        "xray": _hex(xray),
        "report": _hex(trial.report),
        "serial": _hex(trial.report),
        "upload": _upload(any_world),
        "job": Hall(any_world).handed_in("owner"),
    }
    return any_world


def _upload(world):
    body = {"name": "cases.zip", "size": 9, "digest": f"sha256:{'0' * 64}"}
    return world.client("owner").post("/api/uploads", body, content_type="application/json").json()["identity"]


def _hex(document):
    return document.digest().partition(":")[2]


def rows(table):
    for line in table.strip().splitlines()[1:]:
        address, *codes = line.split()
        assert len(codes) == len(COLUMNS), line
        yield address, dict(zip(COLUMNS, map(int, codes), strict=True))


def in_turn(expected, turn):
    """Return as whom the quick test asks for a page: the pages let in or refuse in turn, everyone in turn."""
    among = [one for one in expected.items() if (one[1] == 200) == turn % 2] or list(expected.items())
    return [among[turn // 2 % len(among)]]


@pytest.mark.parametrize("everybody", [False, pytest.param(True, marks=pytest.mark.prove)], ids=["in turn", "all"])
def test_every_page_for_every_person(certified, everybody):
    """A page is asked for as one of them; as everyone in the long proofs."""
    browsers = {who: certified.client(None if who == "visitor" else who) for who in COLUMNS}
    wrong = []
    for turn, (address, expected) in enumerate(rows(PAGES)):
        for who, code in expected.items() if everybody else in_turn(expected, turn):
            found = browsers[who].get(address.format(**certified.digests)).status_code
            if found != code:
                wrong.append((address, who, code, found))
    assert not wrong, "\n".join(map(str, wrong))


ACTS_THAT_MOVE = {
    "scenario.close": "DO",
    "application.rehearse": "P",
    "application.board": "P",
    "application.withdraw": "P",
    "reviewer.name": "D",
    "reviewer.release": "D",
    "interest.declare": "R",
    "report.review": "R",
    "certificate.suspend": "D",
    "certificate.revoke": "D",
    "appeal.file": "OP",
    "order.give": "G",
    "dataset.withdraw": "DO",
    "agreement.revoke": "DO",
    "agreement.release": "DO",
    "agreement.end": "P",
}
SEEN_BY = {
    "dataset": ("datasets/plant/logs", "DOG"),
    "agreement": ("agreements/a1", "DOPG"),
    "scenario": ("scenarios/plant/milling", "DOG"),
    "application": ("applications/acme/forest", "DPG"),
}
C1 = ("trials/c1", "DOPRG")
LETTERS = {"desk": "D", "owner": "O", "other-owner": "o", "supplier": "P", "other-supplier": "p", "reviewer": "R",
           "other-reviewer": "r", "regulator": "G"}  # fmt: skip
OPINION = {"document": "acceptance/1", "report": "{report}", "organisation": "plant", "at": "2026-05-01T00:00:00Z"}
BODIES = {
    "acceptance.give": {**OPINION, "decision": "accepted"},
    "acceptance.refuse": {**OPINION, "decision": "declined"},
    "approval.file": {"kind": "ethics", "issued_by": "Board", "reference": "7"},
    "appeal.decide": {"number": 9, "upheld": False, "reasons": "No."},
    "order.lift": {"number": 9},
    "organisation.edit": {"document": "organisation/1", "name": "somebody", "title": "X", "roles": []},
    "organisation.declare": {"document": "organisation/1", "name": "somebody", "title": "X", "roles": []},
    "reviewer.name": {"organisation": "academy", "person": "p-other-reviewer"},
    "reviewer.release": {"organisation": "academy", "person": "p-other-reviewer"},
    "interest.declare": {"has_interest": False},
    "appeal.file": {"grounds": "x"},
    "order.give": {"kind": "rerun", "reasons": "x", "deadline": "2000-01-01"},
}  # fmt: skip
STANDS_AGAINST = {"record.wrong_state", "record.other_subject", "record.no_open_appeal", "record.no_such_order",
                  "record.name_fixed", "record.roles_fixed", "record.application_not_submitted",
                  "record.no_work"}  # fmt: skip


def body_of(world, act):
    if act in ("commission.counter", "commission.revise"):
        return commission(world.trial.scenario, world.trial.version).to_json_value()
    if act == "plan.draft":
        return proposal(world.trial.scenario, world.trial.version).to_json_value()
    spelled = json.dumps(BODIES.get(act, {})).replace("{report}", f"sha256:{world.digests['report']}")
    return json.loads(spelled)


def answer(world, who, address, body):
    found = world.client(who).post(f"/api/{address}", body, content_type="application/json")
    return found.status_code, found.json().get("code") if found.content else None


def refusal(act, who, sees):
    """Return the answer to somebody who may not act: roles come first, since they reveal nothing about the record."""
    if WORLD[who][1] not in {one.role for one in Act(act).grants}:
        return 403, "hub.role_missing"
    return (403, "record.not_permitted") if sees else (404, "record.not_found")


def test_every_act_for_every_person(certified):
    wrong = []
    for line in ACTS.strip().splitlines():
        act, may, subject, see = line.split()
        body = body_of(certified, act)
        for who, letter in LETTERS.items():
            status, code = answer(certified, who, f"{subject}/acts/{act}", body)
            right = code in STANDS_AGAINST if letter in may else (status, code) == refusal(act, who, letter in see)
            if not right:
                wrong.append((act, who, status, code))
        assert answer(certified, None, f"{subject}/acts/{act}", body) == (401, "hub.login_needed")
        assert answer(certified, "stranger", f"{subject}/acts/{act}", body) == refusal(act, "stranger", False)
    assert not wrong, "\n".join(map(str, wrong))


def test_acts_that_would_move_are_refused_to_all_others(certified):
    wrong = []
    for act, may in ACTS_THAT_MOVE.items():
        subject, see = SEEN_BY.get(act.partition(".")[0], C1)
        for who, letter in LETTERS.items():
            if letter in may:
                continue
            status, code = answer(certified, who, f"{subject}/acts/{act}", body_of(certified, act))
            if (status, code) != refusal(act, who, letter in see):
                wrong.append((act, who, status, code))
        assert answer(certified, None, f"{subject}/acts/{act}", body_of(certified, act))[0] == 401
    assert not wrong, "\n".join(map(str, wrong))


def test_tables_name_every_address(certified):
    """A page or an operation that is added has a row here, or this fails."""
    known = [address.format(**certified.digests) for address, _ in rows(PAGES)]
    posted = {f"/api/{line.split()[2]}/acts/{line.split()[0]}" for line in ACTS.strip().splitlines()}
    schema = certified.client().get("/api/openapi.json").json()
    missing = [
        f"{method} {path}"
        for path, operations in schema["paths"].items()
        for method in operations
        if f"{method} {path}" not in POSTED | DECLARED
        and not any(re.fullmatch(_pattern(path), address) for address in (known if method == "get" else posted))
        and not (method == "post" and path.rpartition("/")[2] in ACTS_THAT_MOVE)
    ]
    assert missing == []
    named = {
        resolve(address.partition("?")[0]).url_name
        for address in known
        if not address.startswith(("/no-", "/api/")) or address.startswith("/api/docs/")
    }
    assert sorted(_names() - named - POSTED_PAGES) == []


DECLARED = {f"{one.method.lower()} /api{one.path}" for one in declared().values() if one.writes}
"""Tested one by one in `test_who_does_what`."""
POSTED = {
    "put /api/scenarios/{owner}/{name}",
    "put /api/applications/{owner}/{name}",
    "put /api/organisations/{name}",
    "put /api/datasets/{owner}/{name}",
    "put /api/datasets/{owner}/{name}/quality",
    "post /api/datasets/{owner}/{name}/files",
    "delete /api/datasets/{owner}/{name}/files",
    "delete /api/datasets/{owner}/{name}/files/{file}",
    "post /api/datasets/{owner}/{name}/quality/measurement",
    "post /api/descriptions",
    "put /api/descriptions/{identity}/answers",
    "post /api/descriptions/{identity}/dataset",
    "delete /api/descriptions/{identity}",
    "post /api/datasets/{owner}/{name}/statistics",
    "post /api/datasets/{owner}/{name}/statistics/price",
    "post /api/datasets/{owner}/{name}/labelling",
    "post /api/labelling/{asked}/labels",
    "post /api/labelling/{asked}/import",
    "post /api/labelling/{asked}/close",
    "post /api/labelling/{asked}/publish",
    "post /api/sites",
    "post /api/sites/{site}/revoke",
    "post /api/sites/{site}/packs",
    "post /api/site-packs/{asked}/agree",
    "post /api/site-reports",
    "post /api/agreements",
    "post /api/trials",
    "post /api/organisations/{name}/invitations",
    "post /api/certificates/check",
    "delete /api/scenarios/{owner}/{name}/files",
    "post /api/scenarios",
    "post /api/applications",
    "put /api/roadmap",
    "get /api/threads",
    "get /api/threads/{thread}",
    "get /api/threads/{thread}/messages/{number}/files/{digest}",
    "get /api/notices",
    "post /api/notices/read",
    "get /api/notices/mail",
    "put /api/notices/mail",
    "get /api/webhooks",
    "post /api/webhooks",
    "delete /api/webhooks/{webhook}",
    "get /api/webhooks/{webhook}/messages",
    "post /api/webhooks/{webhook}/messages",
    "post /api/webhooks/{webhook}/messages/{message}/replay",
}
"""Tested one by one: `test_api`, `test_people`, `test_uploads_in_pieces`, `test_exchange`, `test_notices`,
`test_duty_desk`, `test_services`, `test_descriptions`, `test_pools`,
`test_what_if`."""
POSTED_PAGES = {"certificate-open-badge", "site-pack-agree", "potential-score", "pool-job-cancel", "what-if-cancel",
                "description-save", "description-forget", "world-forget", "service-release-end",
                "service-move", "service-keys", "service-key-revoke", "service-budget", "service-terms",
                "claim-decide", "claim-pay", "tender-enter", "tender-close",
                "call-publish", "call-open", "call-release", "call-talk", "call-tender", "call-rank", "call-award",
                "call-appeal", "call-decide", "call-reached",
                "call-paid", "plan-propose", "workforce-report", "hold-back", "hold-back-end", "exposure-grant",
                "period-sign",
                "watch-replay", "watch-arm", "watch-disarm", "watch-silence", "watch-speak", "warning-care",
                "import-confirm", "import-cancel",
                "act-for", "invitation-withdraw", "membership-remove", "token-revoke",
                "person-act", "person-roles", "role-change", "domain-end", "set_language", "theme",
                "openid_connect_login", "openid_connect_callback", "mfa_reauthenticate", "mfa_activate_totp",
                "mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_generate_recovery_codes",
                "mfa_download_recovery_codes",
                "exchange", "thread", "thread-correct", "thread-remove", "thread-mark", "thread-file", "threads-about",
                "thread-new", "notices", "notice", "notices-read", "notice-mail", "webhooks", "webhook", "webhook-end",
                 "webhook-again", "webhook-test", "work-later", "matches-follow", "capability-withdraw",
                 "room-agree", "room-accept", "room-confirm", "room-done",
                 "replication-agree", "replication-admit",
                 "course-start", "course-practise", "course-try", "course-badge", "learning-erase"}  # fmt: skip
"""Forms only, tested in `test_people`, or pages behind a second log-in, tested in `test_second_factor`;
those of threads and notices have tables of their own in `test_exchange` and `test_notices`."""


def _pattern(path):
    return re.sub(r"\{[a-z]+\}", "[^/]+", path)


def _names():
    from pilotbase.hub.urls import urlpatterns

    def names(patterns):
        for one in patterns:
            if getattr(one, "app_name", None) == "ninja":
                continue
            yield from names(one.url_patterns) if hasattr(one, "url_patterns") else [one.name]

    return set(names(urlpatterns))
