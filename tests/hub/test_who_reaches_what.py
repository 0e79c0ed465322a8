"""Every address × person × organisation, against tables written by hand: what is not to be seen does not exist."""

import json
import re

import pytest
from django.urls import resolve

from pilotbase.documents.permissions import Act
from tests.catalogue.records_for_tests import OTHER_OWNER, OTHER_SUPPLIER, commission, proposal, scenario, version
from tests.hub.services_for_tests import serve
from tests.watch.incidents_for_tests import keep_service, open_one

COLUMNS = ("visitor", "stranger", "desk", "owner", "other-owner", "supplier", "other-supplier", "reviewer",
           "other-reviewer", "regulator")  # fmt: skip
PAGES = """
                                    V   S   D   O   o   P   p   R   r   G
/                                   200 200 200 200 200 200 200 200 200 200
/overview/                          302 404 200 404 404 404 404 404 404 200
/overview/screen/                   302 404 200 404 404 404 404 404 404 200
/overview/late/                     302 404 200 404 404 404 404 404 404 200
/overview/records/open/             302 404 200 404 404 404 404 404 404 200
/ledger/                            302 404 200 200 200 404 404 404 404 200
/ledger/map/                        302 404 200 200 200 404 404 404 404 200
/ledger/ranking/                    302 404 200 200 200 404 404 404 404 200
/ledger/ranking/5-4-3/              302 404 200 200 200 404 404 404 404 200
/ledger/plan/                       302 404 200 200 200 404 404 404 404 200
/api/roadmap                        401 404 200 200 200 404 404 404 404 200
/ledger/records/opened/             302 404 200 200 200 404 404 404 404 200
/ledger/records/nothing/            302 404 404 404 404 404 404 404 404 404
/ledger/steps/agreed_frozen/open/   302 404 200 200 200 404 404 404 404 200
/ledger/steps/agreed_frozen/never/  302 404 404 404 404 404 404 404 404 404
/ledger/ledger.csv                  302 404 200 200 200 404 404 404 404 200
/ledger/secrets.csv                 302 404 404 404 404 404 404 404 404 404
/api/ledger                         401 404 200 200 200 404 404 404 404 200
/api/ledger/map                     401 404 200 200 200 404 404 404 404 200
/api/ledger/ranking                 401 404 200 200 200 404 404 404 404 200
/api/ledger/records/opened          401 404 200 200 200 404 404 404 404 200
/api/ledger/steps/agreed_frozen/open 401 404 200 200 200 404 404 404 404 200
/api/figures                        200 200 200 200 200 200 200 200 200 200
/api/figures/overview               401 200 200 200 200 200 200 200 200 200
/import/                            302 404 200 404 404 404 404 404 404 404
/import/organisations/              302 404 200 404 404 404 404 404 404 404
/import/people/template.csv         302 404 200 404 404 404 404 404 404 404
/import/nothing/                    302 404 404 404 404 404 404 404 404 404
/import/people/0123456789abcdef/    302 404 404 404 404 404 404 404 404 404
/import/people/0123456789abcdef/problems.csv 302 404 404 404 404 404 404 404 404 404
/desk/                              302 404 200 200 200 404 404 404 404 200
/incidents/                         302 404 200 200 200 404 404 404 404 200
/incidents/1/                       302 404 200 200 404 404 404 404 404 200
/incidents/9/                       302 404 404 404 404 404 404 404 404 404
/incidents/1/incident.note/         302 404 200 200 404 404 404 404 404 404
/incidents/1/incident.report/       302 404 404 404 404 404 404 404 404 404
/incidents/1/incident.fly/          302 404 404 404 404 404 404 404 404 404
/api/desk                           401 200 200 200 200 200 200 200 200 200
/api/incidents                      401 200 200 200 200 200 200 200 200 200
/api/incidents/1                    401 404 200 200 404 404 404 404 404 200
/services/alarm/runbook/            302 404 200 200 404 404 404 404 404 200
/services/nothing/runbook/          302 404 404 404 404 404 404 404 404 404
/api/services/alarm/runbook         401 404 200 200 404 404 404 404 404 200
/search/                            200 200 200 200 200 200 200 200 200 200
/certified/                         200 200 200 200 200 200 200 200 200 200
/figures/                           200 200 200 200 200 200 200 200 200 200
/standards/                         200 200 200 200 200 200 200 200 200 200
/standards/scenario.json            200 200 200 200 200 200 200 200 200 200
/standards/secret.json              404 404 404 404 404 404 404 404 404 404
/standards/vocabularies.json        200 200 200 200 200 200 200 200 200 200
/next/                              200 200 200 200 200 200 200 200 200 200
/next/demand-owner/                 200 200 200 200 200 200 200 200 200 200
/next/nobody/                       404 404 404 404 404 404 404 404 404 404
/feeds/en/scenarios.atom            200 200 200 200 200 200 200 200 200 200
/feeds/en/trials.atom               404 404 404 404 404 404 404 404 404 404
/work/                              302 404 200 200 200 200 200 200 200 200
/queue/                             302 404 200 200 200 200 200 200 200 200
/scenarios/                         200 200 200 200 200 200 200 200 200 200
/applications/                      200 200 200 200 200 200 200 200 200 200
/trials/                            302 404 200 200 200 200 200 200 200 200
/organisations/                     302 404 200 200 200 200 200 200 200 200
/scenarios/plant/milling/           200 200 200 200 200 200 200 200 200 200
/scenarios/hospital/xray/           404 404 200 404 200 404 404 404 404 200
/scenarios/hospital/none/           404 404 404 404 404 404 404 404 404 404
/scenarios/plant/milling/versions/{milling}/ 200 200 200 200 200 200 200 200 200 200
/scenarios/hospital/xray/versions/{xray}/ 404 404 200 404 200 404 404 404 404 200
/scenarios/plant/milling/versions/{xray}/ 404 404 404 404 404 404 404 404 404 404
/scenarios/plant/milling/files/     302 404 200 200 404 404 404 404 404 403
/scenarios/hospital/none/files/     302 404 404 404 404 404 404 404 404 404
/applications/acme/forest/          404 404 200 200 404 200 404 200 404 200
/applications/globex/pine/          404 404 200 404 404 404 200 404 404 200
/trials/c1/                         404 404 200 200 404 200 404 200 404 200
/trials/c1/progress/                404 404 200 200 404 200 404 200 404 200
/trials/c1/report/                  404 404 200 200 404 200 404 200 404 200
/trials/c1/bundle/                  404 404 200 200 404 404 404 404 404 200
/trials/c2/bundle/                  404 404 404 404 404 404 404 404 404 404
/trials/c1/bundle/{report}.zip      404 404 404 404 404 404 404 404 404 404
/scenarios/plant/milling/board/     404 404 200 200 404 200 200 404 404 200
/scenarios/hospital/xray/board/     404 404 200 404 200 404 404 404 404 200
/scenarios/plant/milling/comparison/ 404 404 200 200 404 404 404 404 404 404
/scenarios/hospital/xray/comparison/ 404 404 200 404 200 404 404 404 404 404
/matching/                          302 404 200 200 200 200 200 200 200 200
/scenarios/plant/milling/matches/   302 404 200 200 200 200 200 200 200 200
/scenarios/hospital/xray/matches/   302 404 200 404 200 404 404 404 404 200
/scenarios/hospital/none/matches/   302 404 404 404 404 404 404 404 404 404
/applications/acme/forest/matches/  302 404 200 200 404 200 404 200 404 200
/applications/globex/pine/matches/  302 404 200 404 404 404 200 404 404 200
/trials/c2/                         404 404 404 404 404 404 404 404 404 404
/trials/c1/acts/order.give/         302 404 404 404 404 404 404 404 404 200
/trials/c1/acts/certificate.revoke/ 302 404 200 404 404 404 404 404 404 404
/trials/c1/acts/appeal.file/        302 404 404 200 404 200 404 404 404 404
/trials/c1/acts/report.review/      302 404 404 404 404 404 404 200 404 404
/trials/c1/acts/no.such/            302 404 404 404 404 404 404 404 404 404
/organisations/plant/               404 404 200 200 404 404 404 404 404 200
/organisations/plant/acts/organisation.declare/ 302 404 404 200 404 404 404 404 404 404
/organisations/plant/invite/        302 404 200 404 404 404 404 404 404 404
/organisations/new/                 302 404 200 404 404 404 404 404 404 404
/scenarios/new/                     302 404 200 200 200 404 404 404 404 404
/scenarios/plant/milling/starter-kit.zip 302 404 404 404 404 422 422 404 404 404
/applications/acme/forest/rehearsal.html 302 404 404 404 404 404 404 404 404 404
/applications/acme/forest/rehearsal.log 302 404 404 404 404 404 404 404 404 404
/scenarios/plant/milling/acts/scenario.edit/ 302 404 200 200 404 404 404 404 404 404
/applications/new/                  302 404 404 404 404 200 200 404 404 404
/trials/new/                        302 404 404 404 404 200 200 404 404 404
/services/                          302 404 200 200 200 200 200 200 200 200
/services/milling/                  302 404 200 200 404 200 404 404 404 200
/services/nothing/                  302 404 404 404 404 404 404 404 404 404
/certificates/{serial}/service/     302 404 200 200 404 404 404 404 404 404
/api/services                       401 200 200 200 200 200 200 200 200 200
/api/services/milling               401 404 200 200 404 200 404 404 404 200
/services/milling/watch/            302 404 200 200 404 200 404 404 404 200
/services/nothing/watch/            302 404 404 404 404 404 404 404 404 404
/warnings/                          302 404 200 200 200 200 200 200 200 200
/api/services/milling/watch         401 404 200 200 404 200 404 404 404 200
/api/services/milling/watch/path    401 422 422 422 422 422 422 422 422 422
/api/services/milling/warnings      401 404 200 200 404 200 404 404 404 200
/api/warnings                       401 200 200 200 200 200 200 200 200 200
/api/services/nothing               401 404 404 404 404 404 404 404 404 404
/api/services/milling/history       401 404 200 200 404 200 404 404 404 200
/api/services/milling/keys          401 404 200 200 404 403 404 404 404 200
/api/services/milling/budgets       401 404 200 200 404 403 404 404 404 200
/api/services/milling/usage         401 404 200 200 404 403 404 404 404 200
/certificates/                      200 200 200 200 200 200 200 200 200 200
/certificates/{serial}/             200 200 200 200 200 200 200 200 200 200
/certificates/{serial}/certificate.json 200 200 200 200 200 200 200 200 200 200
/certificates/{serial}/qr.svg       200 200 200 200 200 200 200 200 200 200
/certificates/{xray}/               404 404 404 404 404 404 404 404 404 404
/certificates/trust-roots.json      200 200 200 200 200 200 200 200 200 200
/certificates/log-key.txt           200 200 200 200 200 200 200 200 200 200
/certificates/revocations.json      200 200 200 200 200 200 200 200 200 200
/account/                           302 200 200 200 200 200 200 200 200 200
/account/tokens/                    302 404 200 200 200 200 200 200 200 200
/account/login/                     200 302 302 302 302 302 302 302 302 302
/account/logout/                    302 200 200 200 200 200 200 200 200 200
/account/signup/                    200 200 200 200 200 200 200 200 200 200
/account/inactive/                  200 200 200 200 200 200 200 200 200 200
/account/reauthenticate/            302 200 200 200 200 200 200 200 200 200
/account/password/change/           302 200 200 200 200 200 200 200 200 200
/account/password/set/              302 302 302 302 302 302 302 302 302 302
/account/password/reset/            200 200 200 200 200 200 200 200 200 200
/account/password/reset/done/       200 200 200 200 200 200 200 200 200 200
/account/password/reset/key/done/   200 200 200 200 200 200 200 200 200 200
/account/password/reset/key/1-set/  200 200 200 200 200 200 200 200 200 200
/account/second-factor/             302 200 200 200 200 200 200 200 200 200
/account/second-factor/enter/       302 302 302 302 302 302 302 302 302 302
/account/sessions/                  302 200 200 200 200 200 200 200 200 200
/account/provider/cancelled/        200 200 200 200 200 200 200 200 200 200
/account/provider/error/             401 401 401 401 401 401 401 401 401 401
/account/provider/signup/           200 200 200 200 200 200 200 200 200 200
/invitations/nothing/               404 404 404 404 404 404 404 404 404 404
/health/live                        200 200 200 200 200 200 200 200 200 200
/health/ready                       200 200 200 200 200 200 200 200 200 200
/metrics                            404 404 200 404 404 404 404 404 404 404
/api/docs/                          200 200 200 200 200 200 200 200 200 200
/api/openapi.json                   200 200 200 200 200 200 200 200 200 200
/api/me                             401 200 200 200 200 200 200 200 200 200
/api/work                           401 200 200 200 200 200 200 200 200 200
/api/scenarios                      200 200 200 200 200 200 200 200 200 200
/api/applications                   200 200 200 200 200 200 200 200 200 200
/api/trials                         401 200 200 200 200 200 200 200 200 200
/api/organisations                  401 200 200 200 200 200 200 200 200 200
/api/scenarios/plant/milling        200 200 200 200 200 200 200 200 200 200
/api/scenarios/hospital/xray        404 404 200 404 200 404 404 404 404 200
/api/scenarios/plant/milling/record 401 404 200 200 404 404 404 404 404 200
/api/applications/acme/forest       404 404 200 200 404 200 404 200 404 200
/api/applications/globex/pine       404 404 200 404 404 404 200 404 404 200
/api/applications/acme/forest/record 401 404 200 404 404 200 404 404 404 200
/api/trials/c1                      401 404 200 200 404 200 404 200 404 200
/api/trials/c1/record               401 404 200 200 404 200 404 200 404 200
/api/trials/c1/report               401 404 200 200 404 200 404 200 404 200
/api/trials/c1/progress             401 404 200 200 404 200 404 200 404 200
/api/trials/c1/bundle               401 404 202 202 404 404 404 404 404 202
/api/queue                          401 200 200 200 200 200 200 200 200 200
/api/scenarios/plant/milling/board  401 404 200 200 404 200 200 404 404 200
/api/scenarios/hospital/xray/board  401 404 200 404 200 404 404 404 404 200
/api/scenarios/plant/milling/comparison 401 404 200 200 404 404 404 404 404 404
/api/scenarios/plant/milling/budget 401 404 404 404 404 404 404 404 404 404
/api/matches/gaps                   401 200 200 200 200 200 200 200 200 200
/api/matches/scenarios/plant/milling 401 200 200 200 200 200 200 200 200 200
/api/matches/scenarios/hospital/xray 401 404 200 404 200 404 404 404 404 200
/api/matches/applications/acme/forest 401 404 200 200 404 200 404 200 404 200
/api/matches/applications/globex/pine 401 404 200 404 404 404 200 404 404 200
/api/organisations/plant            401 404 200 200 404 404 404 404 404 200
/api/organisations/plant/record     401 404 200 200 404 404 404 404 404 200
/api/organisations/plant/invitations 401 404 200 404 404 404 404 404 404 404
/api/scenarios/plant/milling/acts   401 404 200 200 404 404 404 404 404 200
/api/applications/acme/forest/acts  401 404 200 404 404 200 404 404 404 200
/api/trials/c1/acts                 401 404 200 200 404 200 404 200 404 200
/api/organisations/plant/acts       401 404 200 200 404 404 404 404 404 200
/api/scenarios/plant/milling/files  401 404 200 200 404 404 404 404 404 403
/api/uploads                        401 200 200 200 200 200 200 200 200 200
/api/uploads/{upload}               401 404 404 200 404 404 404 404 404 404
/api/certificates/{serial}          200 200 200 200 200 200 200 200 200 200
/api/certificates/{serial}/envelope 200 200 200 200 200 200 200 200 200 200
/api/documents/sha256:{milling}     200 200 200 200 200 200 200 200 200 200
/api/documents/sha256:{xray}        404 404 200 404 200 404 404 404 404 200
/api/documents/sha256:{report}      404 404 200 200 404 404 404 200 404 200
/api/no-such-thing                  404 404 404 404 404 404 404 404 404 404
/no-such-page                       404 404 404 404 404 404 404 404 404 404
"""
"""GET each address as each person. D operator, O demand owner, P supplier, R reviewer, G regulator; small letters: the
same role in an organisation that the records do not concern; S has an account and belongs to nobody."""


@pytest.fixture(scope="module")
def certified(long_world):
    trial = long_world.trial
    trial.reach("certified")
    xray = scenario((), name="xray", owner={"organisation": "hospital"})
    trial.do(OTHER_OWNER, "scenario:hospital/xray", Act.SCENARIO_REGISTER, xray)
    trial.do(
        OTHER_SUPPLIER, "application:globex/pine", Act.APPLICATION_REGISTER, version(name="pine", supplier="globex")
    )
    keep_service(trial.store)
    open_one(trial.store)
    serve(long_world)
    long_world.digests = {
        "milling": _hex(trial.scenario),
        "xray": _hex(xray),
        "report": _hex(trial.report),
        "serial": _hex(trial.report),
        "upload": _upload(long_world),
    }
    return long_world


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


def test_every_page_for_every_person(certified):
    browsers = {who: certified.client(None if who == "visitor" else who) for who in COLUMNS}
    wrong = []
    for address, expected in rows(PAGES):
        for who, code in expected.items():
            found = browsers[who].get(address.format(**certified.digests)).status_code
            if found != code:
                wrong.append((address, who, code, found))
    assert not wrong, "\n".join(map(str, wrong))


ACTS = """
organisation.edit       D       organisations/plant      DOG
organisation.declare    O       organisations/plant      DOG
scenario.submit         O       scenarios/plant/milling  DOG
scenario.return         D       scenarios/plant/milling  DOG
scenario.open           D       scenarios/plant/milling  DOG
scenario.withdraw       O       scenarios/plant/milling  DOG
application.submit      P       applications/acme/forest DPG
application.stop        DP      applications/acme/forest DPG
commission.counter      O       trials/c1                DOPRG
commission.revise       P       trials/c1                DOPRG
commission.agree        O       trials/c1                DOPRG
commission.concede      P       trials/c1                DOPRG
commission.decline      DOP     trials/c1                DOPRG
commission.cancel       DOP     trials/c1                DOPRG
approval.file           DOP     trials/c1                DOPRG
plan.draft              D       trials/c1                DOPRG
plan.return             DR      trials/c1                DOPRG
plan.approve            R       trials/c1                DOPRG
plan.freeze             D       trials/c1                DOPRG
trial.queue             D       trials/c1                DOPRG
trial.stop              D       trials/c1                DOPRG
trial.repeat            D       trials/c1                DOPRG
rectification.ask       DO      trials/c1                DOPRG
rectification.submit    P       trials/c1                DOPRG
acceptance.give         O       trials/c1                DOPRG
acceptance.refuse       O       trials/c1                DOPRG
certificate.sign        D       trials/c1                DOPRG
certificate.reinstate   D       trials/c1                DOPRG
order.lift              G       trials/c1                DOPRG
appeal.decide           D       trials/c1                DOPRG
"""
"""Act, who the table lets do it, on what, who sees the record. Each is sent where the state (or what is handed in)
stands against it, so that nothing moves: who may is told that, who sees is told that they may not, for others there is
nothing. What can be done in this state is in `ACTS_THAT_MOVE`."""
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
}
SEEN_BY = {"scenario": ("scenarios/plant/milling", "DOG"), "application": ("applications/acme/forest", "DPG")}
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
                  "record.roles_fixed", "record.application_not_submitted", "record.no_work"}  # fmt: skip


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


def test_every_act_for_every_person(certified):
    wrong = []
    for line in ACTS.strip().splitlines():
        act, may, subject, see = line.split()
        body = body_of(certified, act)
        for who, letter in LETTERS.items():
            status, code = answer(certified, who, f"{subject}/acts/{act}", body)
            if letter in may:
                right = code in STANDS_AGAINST
            elif letter in see:
                right = (status, code) == (403, "record.not_permitted")
            else:
                right = (status, code) == (404, "record.not_found")
            if not right:
                wrong.append((act, who, status, code))
        assert answer(certified, None, f"{subject}/acts/{act}", body) == (401, "hub.login_needed")
        assert answer(certified, "stranger", f"{subject}/acts/{act}", body) == (404, "record.not_found")
    assert not wrong, "\n".join(map(str, wrong))


def test_acts_that_would_move_are_refused_to_all_others(certified):
    wrong = []
    for act, may in ACTS_THAT_MOVE.items():
        subject, see = SEEN_BY[act.partition(".")[0]] if act.startswith(("scenario", "application")) else C1
        for who, letter in LETTERS.items():
            if letter in may:
                continue
            status, code = answer(certified, who, f"{subject}/acts/{act}", body_of(certified, act))
            if (status, code) != ((403, "record.not_permitted") if letter in see else (404, "record.not_found")):
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
        if f"{method} {path}" not in POSTED
        and not any(re.fullmatch(_pattern(path), address) for address in (known if method == "get" else posted))
        and not (method == "post" and path.rpartition("/")[2] in ACTS_THAT_MOVE)
    ]
    assert missing == []
    named = {
        resolve(address).url_name
        for address in known
        if not address.startswith(("/no-", "/api/")) or address == "/api/docs/"
    }
    assert sorted(_names() - named - POSTED_PAGES) == []


POSTED = {
    "put /api/scenarios/{owner}/{name}",
    "put /api/applications/{owner}/{name}",
    "put /api/organisations/{name}",
    "post /api/trials",
    "post /api/organisations/{name}/invitations",
    "post /api/certificates/check",
    "post /api/uploads",
    "put /api/uploads/{identity}/pieces/{start}",
    "post /api/uploads/{identity}/finish",
    "delete /api/uploads/{identity}",
    "delete /api/scenarios/{owner}/{name}/files",
    "post /api/scenarios",
    "post /api/applications",
    "put /api/roadmap",
    "post /api/services",
    "post /api/services/overrides",
    "post /api/services/{service}/moves/{move}",
    "post /api/services/{service}/keys",
    "delete /api/services/{service}/keys/{key}",
    "put /api/services/{service}/budgets/{budget}",
    "post /api/services/{service}/observations",
    "post /api/services/{service}/labels",
    "post /api/services/{service}/watch/replays",
    "post /api/services/{service}/watch/arming",
    "post /api/services/{service}/watch/disarming",
    "post /api/services/{service}/silences",
    "post /api/services/{service}/silences/end",
    "post /api/services/{service}/erasures",
    "post /api/warnings/{digest}/acknowledgement",
    "post /api/matches/scenarios",
    "post /api/matches/applications",
} | {
    "get /api/threads",
    "post /api/threads",
    "get /api/threads/{thread}",
    "post /api/threads/{thread}/messages",
    "put /api/threads/{thread}/messages/{number}",
    "post /api/threads/{thread}/messages/{number}/removal",
    "put /api/threads/{thread}/messages/{number}/files",
    "get /api/threads/{thread}/messages/{number}/files/{digest}",
    "put /api/threads/{thread}/answer",
    "get /api/notices",
    "post /api/notices/read",
    "get /api/notices/mail",
    "put /api/notices/mail",
    "post /api/services",
    "post /api/services/overrides",
    "post /api/services/{service}/moves/{move}",
    "post /api/services/{service}/keys",
    "delete /api/services/{service}/keys/{key}",
    "put /api/services/{service}/budgets/{budget}",
    "put /api/services/{service}/runbook",
    "post /api/incidents/{number}/notes",
    "post /api/incidents/{number}/grade",
    "post /api/incidents/{number}/reports",
    "post /api/incidents/{number}/mitigation",
    "post /api/incidents/{number}/closing",
    "post /api/incidents/{number}/corrections",
    "get /api/webhooks",
    "post /api/webhooks",
    "delete /api/webhooks/{webhook}",
    "get /api/webhooks/{webhook}/messages",
    "post /api/webhooks/{webhook}/messages/{message}/replay",
}
"""Tested one by one: `test_api`, `test_people`, `test_uploads_in_pieces`, `test_exchange`, `test_notices`,
`test_duty_desk`, `test_services`."""
POSTED_PAGES = {"service-move", "service-keys", "service-key-revoke", "service-budget",
                "watch-replay", "watch-arm", "watch-disarm", "watch-silence", "watch-speak", "warning-care",
                "import-confirm", "import-cancel",
                "act-for", "invitation-withdraw", "membership-remove", "token-revoke", "set_language",
                "openid_connect_login", "openid_connect_callback", "mfa_reauthenticate", "mfa_activate_totp",
                "mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_generate_recovery_codes",
                "mfa_download_recovery_codes",
                "exchange", "thread", "thread-correct", "thread-remove", "thread-mark", "thread-file", "threads-about",
                "thread-new", "notices", "notice", "notices-read", "notice-mail", "webhooks", "webhook", "webhook-end",
                "webhook-again"}  # fmt: skip
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
