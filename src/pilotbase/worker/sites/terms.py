"""Terms of a dataset on their way to a site: the base passes its gate and counts the use, the site has the same gate.

What was agreed and stands at the base stands at the site from then on, so that the vault there opens under it, until it
ends by itself. A revocation reaches a site with the next pack only: nothing else goes there.
"""

from __future__ import annotations

from pilotbase.catalogue.records import load_record
from pilotbase.catalogue.writing import take_over
from pilotbase.documents.agreement import Agreement
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.hashes import Digest
from pilotbase.documents.site import Release
from pilotbase.documents.subjects import kind_of
from pilotbase.trial.entering import AccessMode, enter
from pilotbase.worker.sites.papers import CarriedTerms, Problems, SiteOffer, SitePack
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction


def permitted_terms(view: View, offer: SiteOffer, supplier: str, release: Release, key: Digest) -> CarriedTerms | None:
    """Return the terms on which a pack rests, counted as the use that ``key`` names; None without a dataset.

    Raises:
        RefusedError: no agreement of the supplier permits it, with every reason; nothing is counted.
    """
    dataset = offer.scenario.data.dataset
    if dataset is None:
        return None
    cases = offer.scenario.trial.cases_per_attempt or offer.hidden.rows
    leave = enter(view, offer.scenario, supplier, key, AccessMode.of_trial(cases, release))
    record, _ = load_record(view, dataset)
    agreed = load_record(view, leave.by)[0] if kind_of(leave.by) == "agreement" else None
    return CarriedTerms(
        dataset_record=record,
        dataset=view.load(record.documents["dataset"], Dataset),
        agreement_record=agreed,
        agreement=view.load(agreed.documents["agreement"], Agreement) if agreed is not None else None,
    )


def examine_terms(pack: SitePack, dataset: str | None, owner: str, problems: Problems) -> None:
    """Note where the terms in a pack are not those of the scenario's dataset, or of its owner."""
    terms = pack.terms
    about = terms.dataset_record.subject if terms is not None else None
    problems.require(about == dataset, "terms", "site.other_terms")
    if terms is not None:
        owners = {terms.dataset.owner.organisation, terms.dataset_record.owner}
        owners |= {terms.agreement.assigner} if terms.agreement is not None else set()
        problems.require(owners == {owner}, "terms", "site.offer_of_other", owner=owner)


def take_terms(change: Transaction, view: View, terms: CarriedTerms) -> None:
    """Let the terms of a pack stand at this site too."""
    take_over(change, view, terms.dataset_record, terms.dataset)
    if terms.agreement_record is not None and terms.agreement is not None:
        take_over(change, view, terms.agreement_record, terms.agreement)
