"""The gate: what it lets in is counted before it is let in, once, and holds only while the terms do."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from terms_for_tests import AGREEMENT, ASKED, ASSIGNEE, DATASET, OWNER, Terms, key

from pilotbase.data.terms.gate import judge, permit, permits_everyone, require_permitted
from pilotbase.data.terms.templates import constraint
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.terms import AccessGrant, Action, Channel, LeftOperand, LegalBasis, Operator, Purpose, Used
from pilotbase.documents.vocabularies import Opening
from pilotbase.workspace.actors import Role
from pilotbase.workspace.failures import ConflictError
from pilotbase.workspace.store import Store
from pilotbase.workspace.uses import require_leave, used_under, uses_of

STATISTICS = ASKED.model_copy(
    update={
        "purpose": Purpose.STATISTICS,
        "channel": Channel.STATISTICS,
        "cell_size": 10,
        "epsilon": 500,
        "rows": None,
    }
)


def used(terms: Terms, ground: str = AGREEMENT) -> Used:
    with terms.base.reading() as connection:
        return used_under(connection, ground)


def stands(terms: Terms, leave: AccessGrant) -> bool:
    with terms.base.reading() as connection:
        try:
            require_leave(connection, leave, terms.store.clock())
        except RefusedError as error:
            assert error.code in ("terms.not_standing", "terms.foreign_leave")
            return False
    return True


def reasons(terms: Terms, **changed: object) -> list[str]:
    return [one.code for one in judge(terms.base, ASKED.model_copy(update=changed)).reasons]


def test_a_use_is_counted_logged_and_counted_once(terms: Terms) -> None:
    terms.agree(terms.publish())
    first = permit(terms.base, ASKED, key("trial 1"))
    assert (first.ground, first.by, first.duties) == (LegalBasis.AGREEMENT, AGREEMENT, (Action.INFORM,))
    assert permit(terms.base, ASKED, key("trial 1")) == first
    assert used(terms) == Used(1, 0, 100)
    permit(terms.seen_by(ASSIGNEE), ASKED, key("trial 2"))
    assert used(terms) == Used(2, 0, 200)
    line = terms.base.log_entries(limit=10**6)[-1]
    assert (line.action, line.actor.organisation) == ("terms.used", ASSIGNEE)
    assert line.subjects == (AGREEMENT, DATASET, key("trial 2"))
    assert line.facts == {
        "place": 2,
        "action": "pb:computeOn",
        "for": ASSIGNEE,
        "purpose": "pb:verification",
        "recipient": ASSIGNEE,
        "channel": "pb:report",
        "rows": 100,
    }
    with pytest.raises(ConflictError):
        permit(terms.base, ASKED.model_copy(update={"rows": 99}), key("trial 1"))


def test_what_is_used_up_is_refused_and_a_use_that_was_counted_is_not(terms: Terms) -> None:
    terms.agree(terms.publish())
    for number in range(3):
        permit(terms.base, ASKED, key(f"trial {number}"))
    with pytest.raises(RefusedError) as caught:
        permit(terms.base, ASKED, key("trial 3"))
    assert (caught.value.code, caught.value.exit_code) == ("terms.refused", 5)
    assert "number of uses: 0 of 3 left" in caught.value.render("en")
    assert permit(terms.base, ASKED, key("trial 2")).use == key("trial 2")
    assert used(terms) == Used(3, 0, 300)


def test_rows_and_privacy_budgets_are_used_up_exactly(terms: Terms) -> None:
    terms.agree(terms.publish())
    permit(terms.base, STATISTICS.model_copy(update={"epsilon": 900, "rows": 500}), key("a"))
    over = [one.render("en") for one in judge(terms.base, STATISTICS.model_copy(update={"epsilon": 601})).reasons]
    assert any("ε in millionths: 600 of 1500 left" in one for one in over)
    permit(terms.base, STATISTICS.model_copy(update={"epsilon": 600, "rows": 0}), key("b"))
    assert used(terms) == Used(2, 1500, 500)
    assert "terms.used_up" in [one.code for one in judge(terms.base, STATISTICS.model_copy(update={"rows": 0})).reasons]


@pytest.mark.parametrize("state", ["offered", "revoked", "expired", "ended"])
def test_terms_that_do_not_hold_let_nobody_in_and_end_a_leave(terms: Terms, state: str) -> None:
    terms.agree(terms.publish())
    leave = permit(terms.base, ASKED, key("trial"))
    assert stands(terms, leave)
    terms.move(state)
    assert not stands(terms, leave)
    assert reasons(terms) == ["terms.no_agreement"]
    with pytest.raises(RefusedError):
        permit(terms.base, ASKED, key("trial"))
    assert used(terms).count == 1


def test_the_clock_ends_an_agreement_and_begins_it(terms: Terms, store: Store, clock) -> None:
    begins = store.clock() + timedelta(hours=1)
    terms.agree(terms.publish(), state="agreed", begins=begins)
    assert reasons(terms) == ["terms.no_agreement"]
    clock.now = begins
    leave = permit(terms.base, ASKED, key("trial"))
    clock.now = begins + timedelta(days=10) - timedelta(hours=1, microseconds=1)
    assert stands(terms, leave)
    clock.step(1)
    assert not stands(terms, leave)
    assert reasons(terms) == ["terms.no_agreement"]


def test_a_withdrawn_dataset_or_another_first_number_of_its_version_lets_nobody_in(terms: Terms) -> None:
    terms.agree(terms.publish(version="1.2.0"))
    leave = permit(terms.base, ASKED, key("trial"))
    for version, covered in (("1.2.1", True), ("1.10.0", True), ("1.1.9", False), ("2.0.0", False)):
        terms.publish(version=version)
        assert reasons(terms) == ([] if covered else ["terms.other_version"]), version
    terms.publish(version="1.2.0")
    with terms.store.database.write() as connection:
        connection.exec_driver_sql("UPDATE datasets SET state = 'withdrawn'")
    assert reasons(terms) == ["terms.no_dataset"]
    assert not stands(terms, leave)


def test_an_agreement_is_for_its_assignee_its_purposes_and_its_dataset(terms: Terms) -> None:
    terms.agree(terms.publish())
    assert reasons(terms, by="quickwin-labs") == ["terms.no_agreement"]
    assert reasons(terms, recipient="quickwin-labs") == ["terms.constraint_fails"]
    assert reasons(terms, purpose="pb:training") == ["terms.constraint_fails"] * 2, "of the offer and of the agreement"
    assert reasons(terms, purpose=None) == ["terms.unknown"] * 2
    assert "terms.beyond_opening" in reasons(terms, action=Action.USE, channel=Channel.DOWNLOAD)
    assert reasons(terms, target="dataset:plant/drilling") == ["terms.no_dataset"]
    assert reasons(terms, target=key("no paper")) == ["terms.no_dataset"]


def test_an_agreement_does_not_open_more_than_its_dataset_is_opened_now(terms: Terms) -> None:
    terms.agree(terms.publish(Opening.ON_TERMS))
    take = {"action": Action.USE, "channel": Channel.DOWNLOAD}
    assert reasons(terms, **take) == []
    terms.publish(Opening.COMPUTE_TO_DATA)
    assert reasons(terms, **take) == ["terms.beyond_opening"]


def test_open_data_are_anybodys_and_counted_until_they_are_closed(terms: Terms) -> None:
    terms.publish(Opening.OPEN)
    asked = ASKED.model_copy(update={"by": "quickwin-labs", "action": Action.USE, "channel": Channel.DOWNLOAD})
    leave = permit(terms.seen_by("quickwin-labs"), asked, key("download"))
    assert (leave.ground, leave.duties) == (LegalBasis.OFFER, (Action.ATTRIBUTE,))
    assert used(terms, DATASET).count == 1
    assert stands(terms, leave)
    terms.publish(Opening.ON_TERMS)
    assert not stands(terms, leave)


def test_everybody_is_given_only_what_is_open_and_counted_and_bound_to_nobody(terms: Terms) -> None:
    asked = ASKED.model_copy(update={"action": Action.USE, "channel": Channel.DOWNLOAD, "rows": None})
    counted = constraint(LeftOperand.COUNT, Operator.LTEQ, 3)
    named = constraint(LeftOperand.RECIPIENT, Operator.EQ, ASSIGNEE)
    meant = constraint(LeftOperand.PURPOSE, Operator.IS_ANY_OF, str(asked.purpose))
    for opening, bounds, given in (
        (Opening.OPEN, (), True),
        (Opening.OPEN, (counted,), False),
        (Opening.OPEN, (named,), False),
        (Opening.OPEN, (meant,), False),
        (Opening.ON_TERMS, (), False),
    ):
        terms.publish(opening, bounds=bounds)
        assert permits_everyone(terms.base, asked) is given, (opening, bounds)


def test_an_owner_needs_no_agreement_and_is_counted(terms: Terms) -> None:
    terms.publish()
    own = ASKED.model_copy(update={"by": OWNER, "recipient": OWNER})
    assert permit(terms.seen_by(OWNER, Role.DEMAND_OWNER), own, key("own")).ground is LegalBasis.OWNER
    assert used(terms, DATASET).count == 1


def test_nobody_asks_for_another_organisation_but_the_base(terms: Terms) -> None:
    terms.agree(terms.publish())
    for ask in (lambda view: permit(view, ASKED, key("x")), lambda view: judge(view, ASKED)):
        with pytest.raises(RefusedError, match="quickwin-labs"):
            ask(terms.seen_by("quickwin-labs"))
    with pytest.raises(RefusedError, match="agreement"):
        require_permitted(terms.seen_by("quickwin-labs"), ASKED.model_copy(update={"by": "quickwin-labs"}))


def test_a_leave_that_was_made_up_opens_nothing(terms: Terms) -> None:
    terms.agree(terms.publish())
    leave = permit(terms.base, ASKED, key("trial"))
    for forged in (
        replace(leave, use=key("another")),
        replace(leave, use=None),
        replace(leave, by="agreement:other"),
        replace(leave, ground=LegalBasis.OFFER),
        replace(leave, ground=LegalBasis.OWNER),
        AccessGrant(LegalBasis.OWNER, DATASET, DATASET, leave.use),
        replace(leave, ground=LegalBasis.PAPER, by=key("paper")),
        replace(leave, target="dataset:plant/drilling"),
    ):
        assert not stands(terms, forged), forged


def test_parties_and_operator_see_the_uses_and_others_none(terms: Terms) -> None:
    terms.agree(terms.publish())
    permit(terms.base, ASKED, key("trial"))
    for view, seen in (
        (terms.base, 1),
        (terms.seen_by(OWNER, Role.DEMAND_OWNER), 1),
        (terms.seen_by(ASSIGNEE), 1),
        (terms.seen_by("ministry", Role.REGULATOR), 1),
        (terms.seen_by("quickwin-labs"), 0),
    ):
        assert len(uses_of(view, DATASET)) == len(uses_of(view, DATASET, AGREEMENT)) == seen


def test_many_at_once_never_overspend(terms: Terms) -> None:
    terms.agree(terms.publish())

    def ask(number: int) -> bool:
        try:
            permit(terms.base, ASKED, key(f"trial {number // 2}"))
        except RefusedError:
            return False
        return True

    with ThreadPoolExecutor(12) as pool:
        won = list(pool.map(ask, range(24)))
    assert used(terms) == Used(3, 0, 300)
    assert sum(won) == 6, "each of the three uses was asked for twice and let in twice"
    assert sorted(use.place for use in uses_of(terms.base, DATASET)) == [1, 2, 3]


KILLED = """
import os, signal, sys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pilotbase.data.terms import gate
from pilotbase.workspace.log.notes import LogKey
from pilotbase.workspace.store import Store
sys.path.insert(0, sys.argv[2])
from stores_for_tests import Clock
from terms_for_tests import ASKED, Terms, key
terms = Terms(Store.open(sys.argv[1], LogKey(Ed25519PrivateKey.generate()), Clock()))
if sys.argv[3] == "before":
    kept = gate.keep_use
    gate.keep_use = lambda *use: (kept(*use), os.kill(os.getpid(), signal.SIGKILL))
gate.permit(terms.base, ASKED, key("trial"))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.one_in(2)
@pytest.mark.parametrize(("when", "counted"), [("before", 0), ("after", 1)])
def test_killed_before_or_after_what_it_spends_a_use_is_counted_once(
    terms: Terms, any_url: str, when: str, counted: int
) -> None:
    terms.agree(terms.publish())
    here = str(Path(__file__).parent)
    paths = os.pathsep.join([here, str(Path(here).parents[1] / "workspace")])
    command = [sys.executable, "-c", KILLED, any_url, here, when]
    ended = subprocess.run(command, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    assert used(terms).count == counted
    permit(terms.base, ASKED, key("trial"))
    assert used(terms) == Used(1, 0, 100)
