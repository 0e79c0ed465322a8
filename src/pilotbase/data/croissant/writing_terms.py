"""An offer as ``odrl:Offer``: of one type, since mlcroissant loses a second one, and that is what makes it a policy."""

from __future__ import annotations

from pilotbase.documents.terms import Constraint, Offer
from pilotbase.documents.yaml_reader import Plain


def write_offer(offer: Offer) -> dict[str, Plain]:
    """Return the JSON-LD of an offer; its target and assigner are texts, not references."""
    permission: list[Plain] = [
        {
            "@type": "odrl:Permission",
            "odrl:action": {"@id": one.action.value},
            **_constraints(one.constraint),
            **(
                {"odrl:duty": [{"@type": "odrl:Duty", "odrl:action": {"@id": duty.action.value}} for duty in one.duty]}
                if one.duty
                else {}
            ),
        }
        for one in offer.permission
    ]
    prohibition: list[Plain] = [
        {
            "@type": "odrl:Prohibition",
            "odrl:action": {"@id": one.action.value},
            **_constraints(one.constraint),
        }
        for one in offer.prohibition
    ]
    return {
        "@type": "odrl:Offer",
        "@id": offer.uid,
        "odrl:profile": offer.profile,
        "odrl:assigner": offer.assigner,
        "odrl:target": offer.target,
        "odrl:conflict": {"@id": offer.conflict},
        **({"odrl:permission": permission} if permission else {}),
        **({"odrl:prohibition": prohibition} if prohibition else {}),
    }


def _constraints(constraints: tuple[Constraint, ...]) -> dict[str, Plain]:
    spelled: list[Plain] = [
        {
            "@type": "odrl:Constraint",
            "odrl:leftOperand": {"@id": one.left_operand.value},
            "odrl:operator": {"@id": one.operator.value},
            "odrl:rightOperand": list(one.right_operand),
        }
        for one in constraints
    ]
    return {"odrl:constraint": spelled} if spelled else {}
