"""Remedies: which acts unblock a step, and who may take them. Used by work lists, pages, notices and the API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pilotbase.documents.lifecycles import LIFECYCLES, Precondition
from pilotbase.documents.permissions import Act, Grant, Relation
from pilotbase.documents.record import ORDERED_ACTS
from pilotbase.documents.vocabularies import Role

WRONG_STATE = "record.wrong_state"
_OTHER_REVIEWER = (Act.REVIEWER_NAME,)
_END_AGREEMENT = (Act.AGREEMENT_REVOKE, Act.AGREEMENT_END)

REMEDIES: Mapping[Precondition, Mapping[str, tuple[Act, ...]]] = {
    Precondition.COMPLETE_SCENARIO: {"input.problems": (Act.SCENARIO_EDIT,)},
    Precondition.COMPLETE_DATASET: {"input.problems": (Act.DATASET_EDIT,)},
    Precondition.OPEN_SCENARIO: {"record.scenario_not_open": (Act.SCENARIO_OPEN, Act.SCENARIO_SUBMIT)},
    Precondition.SUBMITTED_APPLICATION: {
        "record.application_not_submitted": (Act.APPLICATION_SUBMIT, Act.COMMISSION_CANCEL),
        "record.other_version_needed": (Act.APPLICATION_EDIT, Act.COMMISSION_CANCEL),
    },
    Precondition.APPROVALS: {
        "record.approval_missing": (Act.APPROVAL_FILE,),
        "record.approval_expired": (Act.APPROVAL_FILE,),
    },
    Precondition.FREE_OF_INTEREST: {
        "record.interest_undeclared": (Act.INTEREST_DECLARE,),
        "record.interest_declared": _OTHER_REVIEWER,
        "record.interest_of_organisation": _OTHER_REVIEWER,
    },
    Precondition.OUTSIDE_REVIEWER: {"record.outside_reviewer_needed": _OTHER_REVIEWER},
    Precondition.APPROVER_FREE_OF_INTEREST: {"record.approver_has_interest": (Act.PLAN_RETURN,)},
    Precondition.ATTEMPT_LEFT: {
        "trial.no_attempts_left": (
            Act.SCENARIO_OPEN,
            Act.SCENARIO_SUBMIT,
            Act.SCENARIO_EDIT,
            Act.COMMISSION_CANCEL,
            Act.CERTIFICATE_REVOKE,
        ),
        "record.fresh_data_wait": (Act.PLAN_RETURN,),
    },
    Precondition.ACCEPTED_VERDICT: {"record.verdict_not_accept": (Act.ACCEPTANCE_REFUSE,)},
    Precondition.NO_OPEN_APPEAL: {"record.appeal_open": (Act.APPEAL_DECIDE,)},
    Precondition.NO_SUSPENSION_ORDERED: {"record.suspension_ordered": (Act.ORDER_LIFT,)},
    Precondition.PUBLISHED_DATASET: {
        "record.dataset_not_published": _END_AGREEMENT,
        "record.other_dataset_version": _END_AGREEMENT,
    },
}
"""Need → the code of its failure → the acts that remove it; the first that can be taken now counts."""
_WRONG_STATE = (Act.CERTIFICATE_SUSPEND, Act.ORDER_LIFT)
"""Only orders wait in a state that blocks them: the certificate is suspended first, or the order is lifted."""
_BY_CODE = {code: acts for ways in REMEDIES.values() for code, acts in ways.items() if code != "input.problems"}
_INCOMPLETE = tuple(act for ways in REMEDIES.values() for act in ways.get("input.problems", ()))


def remedies_of(code: str) -> tuple[Act, ...]:
    """Return the acts that may resolve ``code``, the likeliest first; empty if only time, or nothing, resolves it."""
    if code == WRONG_STATE:
        return _WRONG_STATE
    return _INCOMPLETE if code == "input.problems" else _BY_CODE.get(code, ())


def takers(act: Act) -> tuple[Grant, ...]:
    """Return who is asked to take ``act`` as a remedy: its parties; the operator if nobody else may."""
    people = [one for one in act.grants if one.relation is not Relation.MACHINE]
    parties = [one for one in people if one.relation in (Relation.OWNER, Relation.SUPPLIER)]
    return tuple(parties or people)


def _helped(role: Role) -> Iterator[Act]:
    for rows in LIFECYCLES.values():
        for row in rows:
            codes = [code for need in row.needs for code in REMEDIES.get(need, ())]
            codes += [WRONG_STATE] if row.act in ORDERED_ACTS.values() else []
            if any(one.role is role for code in codes for act in remedies_of(code) for one in takers(act)):
                yield row.act


HELPED: Mapping[Role, frozenset[Act]] = {role: frozenset(_helped(role)) for role in Role}
"""Role → the acts of others that it may be able to unblock."""
