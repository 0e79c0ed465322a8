"""Terms of a dataset: passed at the base before a pack leaves, counted there, and kept to at the site."""

import pytest

from pilotbase.catalogue.advancing import Move, advance
from pilotbase.data.terms.templates import OfferLimits, constraint, offer_for
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.permissions import Act
from pilotbase.documents.site import Release
from pilotbase.documents.terms import LeftOperand, Offer, Operator
from pilotbase.documents.vocabularies import Opening, Role, Verdict
from pilotbase.worker.trials.log_check import verify_base_log
from pilotbase.workspace.actors import actor
from pilotbase.workspace.uses import uses_of
from tests.catalogue.agreements_for_tests import AGREEMENT, DATASET, agreement, dataset
from tests.worker.sites.homes_for_tests import two_homes


@pytest.fixture
def homes(tmp_path):
    """A site whose scenario is of a dataset; the base knows the site and no dataset."""
    named = lambda text: text.replace("  file: cases.csv", f"  file: cases.csv\n  dataset: {DATASET}")  # noqa: E731
    with two_homes(tmp_path, change=named) as homes:
        homes.enrol(homes.offer(Release(smallest_cell=25)))
        yield homes


def offer_above(cell: int) -> Offer:
    """Return an offer to compute to data whose figures rest on at least so many cases."""
    offer = offer_for(Opening.COMPUTE_TO_DATA, "plant", DATASET, OfferLimits(uses=5))
    (tried,) = offer.permission
    least = constraint(LeftOperand.MIN_CELL_SIZE, Operator.GTEQ, cell)
    return offer.model_copy(
        update={"permission": (tried.model_copy(update={"constraint": (*tried.constraint, least)}),)}
    )


def agree(homes, cell: int) -> None:
    store = homes.base.lab.store
    owner = store.as_actor(actor("plant", Role.DEMAND_OWNER, person="p-owner"))
    supplier = store.as_actor(actor("acme", Role.SUPPLIER, person="p-supplier"))
    described = dataset(usageInfo=offer_above(cell))
    advance(owner, DATASET, Act.DATASET_REGISTER, Move(described))
    advance(owner, DATASET, Act.DATASET_PUBLISH)
    advance(owner, AGREEMENT, Act.AGREEMENT_OFFER, Move(agreement(described, ends=None)))
    advance(supplier, AGREEMENT, Act.AGREEMENT_AGREE)


def refused(homes) -> str:
    with pytest.raises(RefusedError) as told:
        homes.pack(homes.place / "alarm")
    assert not (homes.table / "trial.pack").exists()
    assert uses_of(homes.base.lab.view, DATASET) == []
    return told.value.render("en")


def test_no_pack_leaves_without_an_agreement_or_for_smaller_cells_than_agreed(homes):
    homes.application()
    assert f"no published dataset {DATASET}" in refused(homes)
    agree(homes, cell=30)
    assert "smallest" in refused(homes)


def test_under_an_agreement_the_use_is_counted_once_and_the_site_opens_under_the_same_terms(homes):
    agree(homes, cell=25)
    packed = homes.pack(homes.application())
    assert homes.pack(homes.place / "alarm").pack == packed.pack
    (use,) = uses_of(homes.base.lab.view, DATASET)
    assert (use.ground, use.channel, use.cell_size, use.organisation) == (AGREEMENT, "pb:sitePack", 25, "acme")
    ran = homes.run(packed.file)
    said = packed.pack.terms.line
    assert said.render("en").endswith(f"{DATASET} is used by acme under {AGREEMENT}, until one side ends it")
    assert said.render("zh").endswith("直至一方终止")
    assert homes.take_back(ran.file).report.verdict is Verdict.ACCEPT
    (there,) = uses_of(homes.site.lab.view, DATASET)
    assert (there.ground, there.channel, there.request) == (AGREEMENT, "pb:sitePack", ran.report.plan)
    for base in (homes.base, homes.site):
        assert verify_base_log(base).code == "worker.log_holds"
    owner = homes.base.lab.store.as_actor(actor("plant", Role.DEMAND_OWNER, person="p-owner"))
    advance(owner, AGREEMENT, Act.AGREEMENT_REVOKE)
    with pytest.raises(RefusedError, match="no agreement"):
        homes.pack(homes.application(name="second"), "second.pack")
