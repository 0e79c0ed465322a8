"""Examples of what the API takes, in bodies and in addresses. Each fits its model; a test sees to it."""

from __future__ import annotations

from typing import Any

from pilotbase.documents.plugins import mirrored

_DIGEST = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_COMMISSION = "commission:7f3a9c21d5e84b60"

PARAMETERS: dict[str, Any] = {
    "owner": "plant",
    "name": "milling",
    "digest": _DIGEST,
    "serial": _DIGEST.partition(":")[2],
    "identity": "0c5d7e1a9b3f4826a1d0c7e95b82f364",
    "start": 0,
    "thread": "5be0a1f2c3d4e5f6",
    "number": 1,
    "webhook": "a1f2c3d4e5f65be0",
    "figure": "certified",
    "step": "agreed_frozen",
    "progress": "open",
    "message": "msg_0c5d7e1a9b3f4826a1d0c7e95b82f364",
    "service": "milling",
    "key": "a1f2c3d4e5f65be0",
    "budget": "main",
    "move": "stop",
    "site": "plant-site",
    "asked": _DIGEST.partition(":")[2],
    "organisation": "acme",
}
"""Name of a parameter of an address → a value."""

EXAMPLES: dict[str, dict[str, Any]] = {
    "Noted": {"note": "The second shift was asked, too."},
    "HandedInScenario": {"upload": "0c5d7e1a9b3f4826a1d0c7e95b82f364", "note": "With the cases of May."},
    "HandedInApplication": {"upload": "0c5d7e1a9b3f4826a1d0c7e95b82f364", "scenario": "scenario:plant/milling"},
    "Organisation": {
        "document": "organisation/1",
        "name": "plant",
        "title": {"en": "Machine plant", "zh": "机床厂"},
        "roles": ["demand_owner"],
        "contact": "desk@plant.example",
    },
    "Commission": {
        "document": "commission/1",
        "scenario": "scenario:plant/milling",
        "application": "application:acme/forest",
        "scenario_version": _DIGEST,
        "application_version": _DIGEST,
        "scope": "Warnings of breakage for the milling line",
        "price": {"amount": "20000.00", "currency": "CNY", "paid_by": "supplier"},
        "results": "shared",
        "deadline": "2027-06-30",
    },
    "PlanProposal": {
        "document": "plan-proposal/1",
        "commission": _COMMISSION,
        "scenario_version": _DIGEST,
        "folder": _DIGEST,
        "criteria": ["recall(broken) >= 0.9"],
    },
    "Approval": {"kind": "ethics", "issued_by": "Ethics board", "reference": "2027-014", "until": "2027-12-31"},
    "Reviewer": {"organisation": "institute", "person": "p5be0a1f2c3d4e5f6"},
    "Interest": {"has_interest": False, "explanation": ""},
    "Acceptance": {
        "document": "acceptance/1",
        "report": _DIGEST,
        "organisation": "plant",
        "decision": "accepted_with_conditions",
        "conditions": ["A person confirms each stop of the line."],
        "at": "2027-05-01T08:00:00Z",
    },
    "Appeal": {"grounds": "The labels of lot 7 were exchanged."},
    "AppealDecision": {"number": 1, "upheld": True, "reasons": "Lot 7 was labelled anew; the trial is repeated."},
    "Order": {"kind": "rerun", "reasons": "Lot 7 was labelled anew.", "deadline": "2027-08-01"},
    "OrderLifting": {"number": 1},
    "Question": {
        "subject": "scenario:plant/milling",
        "title": "Which shift wrote row 7?",
        "text": "Its torque is negative. @plant, is that a fault of the sensor?",
        "private": False,
    },
    "Reply": {"text": "The sensor was turned round that night; leave the row out."},
    "Correction": {"text": "The sensor was turned round that week; leave its rows out."},
    "Removal": {"reason": "Names a person"},
    "Marking": {"message": 2},
    "Dataset": {
        "document": "dataset/1",
        "name": "milling",
        "title": {"en": "Spindle logs", "zh": "主轴日志"},
        "owner": {"organisation": "plant"},
        "version": "1.0.0",
        "opening": "compute_to_data",
    },
    "Agreement": {
        "document": "agreement/1",
        "dataset": "dataset:plant/milling",
        "dataset_version": _DIGEST,
        "version": "1.0.0",
        "assigner": "plant",
        "assignee": "acme",
        "offer": {"uid": "urn:pilotbase:offer:1", "assigner": "plant", "target": "dataset:plant/milling"},
        "purposes": ["pb:verification"],
        "ends": "2027-12-31",
    },
    "Answers": {
        "title": {"en": "Pumps of line 3", "zh": "三号线水泵"},
        "license": "CC-BY-4.0",
        "opening": "on_terms",
        "label": "failed",
        "units": {"inlet": "kPa"},
        "personal": ["none"],
    },
}
"""Name of a component of the schema → an example of it."""

for _module in mirrored("hub.api.examples"):
    PARAMETERS |= _module.PARAMETERS
    EXAMPLES |= _module.EXAMPLES
