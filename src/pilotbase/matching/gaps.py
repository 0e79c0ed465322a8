"""The gap map: demand without supply and supply without demand, by sector and action, and why.

It compares the newest open scenarios and the newest submitted applications pair by pair, without words: similar texts
help to rank matches, but don't show that a single pair fits.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pilotbase.documents.matching import Gap, GapCell, GapMap
from pilotbase.documents.states import ApplicationState
from pilotbase.documents.texts import Text, percent, text
from pilotbase.documents.vocabularies import Constraint, Fit
from pilotbase.matching.constraints import check_all, share_of
from pilotbase.matching.finding import SCENARIOS, certified_offers, needs_of, newest, offers_of
from pilotbase.matching.judging import ALIKE_SHARE
from pilotbase.matching.pairs import ApplicationOffer, CaseContract, Need, ProvenPair
from pilotbase.workspace.listings import Query
from pilotbase.workspace.store import View

LEAST_SHARE = ALIKE_SHARE
SUBMITTED = Query("application", states=(ApplicationState.SUBMITTED,))
SHOWN = 100


@dataclass
class _Standing:
    """What was found about one side when compared with all of the other."""

    met: bool = False
    share: float = 0.0
    refused: Counter[Constraint] = field(default_factory=Counter)
    """Constraints that refused counterparts whose contract would fit."""

    def add(self, share: float, refused: Sequence[Constraint]) -> None:
        self.share = max(self.share, share)
        if share >= LEAST_SHARE:
            self.met |= not refused
            self.refused.update(refused)


def gap_map(view: View, proofs: Sequence[ProvenPair], now: datetime) -> GapMap:
    """Return the map over what the actor of ``view`` can see; ``proofs`` are the valid certificates."""
    open_now, submitted = newest(view, SCENARIOS), newest(view, SUBMITTED)
    needs, certified = needs_of(view, open_now.listings), certified_offers(view, proofs)
    offers = [*offers_of(view, submitted.listings), *certified]
    demand, supply = _stand(needs, offers, proofs)
    unmet = [Gap(subject=n.subject, title=n.title, why=_why_unmet(one, offers)) for n, one in demand if not one.met]
    unused = [Gap(subject=o.subject, title=o.title, why=_why_unused(o, one, needs)) for o, one in supply if not one.met]
    return GapMap(
        at=now,
        least_share=LEAST_SHARE,
        scenarios=len(needs),
        scenarios_listed=open_now.listed,
        applications=len(offers),
        applications_listed=submitted.listed + len(certified),
        cells=_cells(demand, supply),
        unmet=tuple(sorted(unmet, key=_subject)[:SHOWN]),
        unused=tuple(sorted(unused, key=_subject)[:SHOWN]),
    )


def _stand(
    needs: Sequence[Need], offers: Sequence[ApplicationOffer], proofs: Sequence[ProvenPair]
) -> tuple[list[tuple[Need, _Standing]], list[tuple[ApplicationOffer, _Standing]]]:
    """Return the result for every need and every offer; each pair is compared once."""
    demand = [(need, _Standing()) for need in needs]
    supply = [(offer, _Standing()) for offer in offers]
    own = defaultdict[str, list[ProvenPair]](list)
    for proof in proofs:
        own[proof.application].append(proof)
    for need, wanted in demand:
        for offer, offered in supply:
            share = _share(need.contract, offer.contract) if offer.contract is not None else 0.0
            refused = _refused(need, offer, own[offer.subject]) if share >= LEAST_SHARE else ()
            wanted.add(share, refused)
            offered.add(share, refused)
    return demand, supply


def _share(need: CaseContract, made_for: CaseContract) -> float:
    """Return `share_of`, or an upper bound where too few names are shared to reach `LEAST_SHARE`."""
    bound = len(need.by_name.keys() & made_for.by_name.keys()) / len(made_for.by_name)
    return share_of(need, made_for) if bound >= LEAST_SHARE else bound


def _refused(need: Need, offer: ApplicationOffer, proofs: Iterable[ProvenPair]) -> tuple[Constraint, ...]:
    return tuple(check.constraint for check in check_all(need, offer, proofs) if check.fit is Fit.REFUSED)


def _why_unmet(standing: _Standing, offers: Sequence[ApplicationOffer]) -> Text:
    return _why_none_fits(standing) if offers else text("match.gap_no_application")


def _why_unused(offer: ApplicationOffer, standing: _Standing, needs: Sequence[Need]) -> Text:
    if not needs:
        return text("match.gap_no_scenario")
    return _why_none_fits(standing) if offer.contract is not None else text("match.contract_unknown")


def _why_none_fits(standing: _Standing) -> Text:
    if standing.refused:
        constraint = min(standing.refused, key=lambda one: (-standing.refused[one], one.value))
        return text("match.gap_all_refused", constraint=text(f"constraint.{constraint}"))
    return text("match.gap_contract", best=percent(standing.share), least=percent(LEAST_SHARE))


def _cells(
    demand: Sequence[tuple[Need, _Standing]], supply: Sequence[tuple[ApplicationOffer, _Standing]]
) -> tuple[GapCell, ...]:
    asked, unmet = Counter(_place(one) for one, _ in demand), Counter(_place(one) for one, at in demand if not at.met)
    there, unused = Counter(_place(one) for one, _ in supply), Counter(_place(one) for one, at in supply if not at.met)
    return tuple(
        GapCell(
            sector=place[0],
            action=place[1],
            demand=asked[place],
            unmet=unmet[place],
            supply=there[place],
            unused=unused[place],
        )
        for place in sorted(asked.keys() | there.keys())
    )


def _place(one: Need | ApplicationOffer) -> tuple[str, str]:
    return one.sector, one.action


def _subject(gap: Gap) -> str:
    return gap.subject
