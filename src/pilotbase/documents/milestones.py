"""Which milestones a record came by on the way from demand to use, read off the steps of its history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from pilotbase.documents.permissions import Act

_FIRST: Mapping[str, tuple[Act, ...]] = {
    "demanded": (Act.SCENARIO_REGISTER,),
    "opened": (Act.SCENARIO_OPEN,),
    "proposed": (Act.COMMISSION_PROPOSE,),
    "agreed": (Act.COMMISSION_AGREE, Act.COMMISSION_CONCEDE),
    "frozen": (Act.PLAN_FROZEN,),
    "certified": (Act.CERTIFICATE_ISSUE,),
}
_LAST: Mapping[str, tuple[Act, ...]] = {"reported": (Act.TRIAL_REPORT,), "accepted": (Act.ACCEPTANCE_GIVE,)}
"""Of several rounds the last one counts that came before the certificate: rectification is part of the trial."""


def milestones(steps: Iterable[tuple[str, datetime]]) -> dict[str, datetime]:
    """Return milestone → when it was reached, of the acts and moments of a history, oldest first.

    Nothing after the first certificate counts.
    """
    reached: dict[str, datetime] = {}
    for act, at in steps:
        for milestone, acts in _FIRST.items():
            if act in acts:
                reached.setdefault(milestone, at)
        if "certified" not in reached:
            reached.update({milestone: at for milestone, acts in _LAST.items() if act in acts})
    return reached
