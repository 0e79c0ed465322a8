"""A dataset and agreements on it, as their records would have put them into the store."""

from dataclasses import dataclass, replace
from datetime import timedelta

from pilotbase.data.terms.templates import OfferLimits, offer_for
from pilotbase.documents.agreement import Agreement
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.hashes import digest_bytes
from pilotbase.documents.terms import Action, Channel, Constraint, Purpose, Request
from pilotbase.documents.vocabularies import Opening
from pilotbase.workspace.actors import PUBLIC, Role, actor, parties
from pilotbase.workspace.store import Store, View
from pilotbase.workspace.terms_rows import AgreementRow, DatasetRow, agreement_row, put_agreement, put_dataset

DATASET, AGREEMENT, OWNER, ASSIGNEE = "dataset:plant/milling", "agreement:7f3a9c", "plant", "lakeside-ai"
LIMITS = OfferLimits(uses=3, rows=500, epsilon=1500)
ASKED = Request(
    target=DATASET,
    action=Action.COMPUTE_ON,
    by=ASSIGNEE,
    purpose=Purpose.VERIFICATION,
    recipient=ASSIGNEE,
    channel=Channel.REPORT,
    rows=100,
)


def key(name: str) -> str:
    return digest_bytes(name.encode())


@dataclass(frozen=True)
class Terms:
    store: Store

    @property
    def base(self) -> View:
        return self.store.as_actor(actor("base", Role.OPERATOR))

    def seen_by(self, organisation: str, role: Role = Role.SUPPLIER) -> View:
        return self.store.as_actor(actor(organisation, role, person="p"))

    def publish(
        self,
        opening: Opening = Opening.COMPUTE_TO_DATA,
        version: str = "1.2.0",
        limits: OfferLimits = LIMITS,
        bounds: tuple[Constraint, ...] = (),
    ):
        """Publish the dataset, or its next version; ``bounds``: what else each permission asks for."""
        usage = offer_for(opening, OWNER, DATASET, limits)
        bound = (one.model_copy(update={"constraint": (*one.constraint, *bounds)}) for one in usage.permission)
        usage = usage.model_copy(update={"permission": tuple(bound)})
        dataset = Dataset(
            name="milling",
            title="Milling",
            owner={"organisation": OWNER},
            version=version,
            opening=opening,
            usage=usage,
        )
        with self.base.transaction("dataset.publish") as change:
            digest = change.put(dataset, PUBLIC, owner=OWNER)
            put_dataset(change.connection, DatasetRow(DATASET, OWNER, "published", digest, version, opening))
        return dataset

    def agree(self, dataset: Dataset, subject: str = AGREEMENT, **changed: object) -> Agreement:
        """Put an agreement in force that begins now and lasts ten days."""
        agreement = Agreement(
            dataset=DATASET,
            dataset_version=dataset.digest(),
            version=dataset.version,
            assigner=OWNER,
            assignee=ASSIGNEE,
            offer=dataset.usage,
            purposes=(Purpose.VERIFICATION, Purpose.STATISTICS),
        )
        now = self.store.clock()
        with self.base.transaction("agreement.agree") as change:
            digest = change.put(agreement, parties(ASSIGNEE), owner=OWNER)
            row = AgreementRow(subject, DATASET, OWNER, ASSIGNEE, "in_force", digest, now, now + timedelta(days=10))
            put_agreement(change.connection, replace(row, **changed))
        return agreement

    def move(self, state: str, subject: str = AGREEMENT) -> None:
        with self.store.database.write() as connection:
            row = agreement_row(connection, subject)
            assert row is not None
            put_agreement(connection, replace(row, state=state))
