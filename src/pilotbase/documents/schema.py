"""The published JSON Schema of every document kind (`make docs` writes ``docs/schema/<kind>.json``)."""

from __future__ import annotations

from typing import Any

from pilotbase.documents.agreement import Agreement
from pilotbase.documents.application import Application
from pilotbase.documents.base import Document
from pilotbase.documents.board import Board, BoardEntry, BoardSubmission
from pilotbase.documents.certificate import Acceptance, Certificate
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.judge import Judge
from pilotbase.documents.labelling import LabelledItems, LabellingCampaign, LabelQuality
from pilotbase.documents.loading import current_version
from pilotbase.documents.matching import GapMap, Matches
from pilotbase.documents.observation import LabelBatch, ObservationBatch, Taken
from pilotbase.documents.organisation import Organisation
from pilotbase.documents.plan import DecisionPlan, TrialPlan
from pilotbase.documents.plugins import mirrored
from pilotbase.documents.prices import PriceList
from pilotbase.documents.private import PrivacyTest, PrivateProfile
from pilotbase.documents.profile import ReferenceProfile
from pilotbase.documents.quality import QualityReference, QualityReport
from pilotbase.documents.report import Report
from pilotbase.documents.roadmap import Roadmap
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.service import Override, Service, ServiceStatus
from pilotbase.documents.standards import StandardCheck, StandardProfile
from pilotbase.documents.watch import (
    Acknowledgement,
    ClockBook,
    Drill,
    Incident,
    Replay,
    RiskWarning,
    Runbook,
    Silence,
    Watch,
)

MODELS: tuple[type[Document], ...] = (
    Scenario,
    Application,
    TrialPlan,
    DecisionPlan,
    Judge,
    Report,
    Acceptance,
    Certificate,
    Organisation,
    Board,
    BoardSubmission,
    BoardEntry,
    Service,
    ServiceStatus,
    Override,
    ObservationBatch,
    LabelBatch,
    Taken,
    Watch,
    Replay,
    RiskWarning,
    Acknowledgement,
    Silence,
    Runbook,
    Incident,
    Roadmap,
    ClockBook,
    Drill,
    Matches,
    GapMap,
    ReferenceProfile,
    LabellingCampaign,
    LabelQuality,
    LabelledItems,
    Dataset,
    Agreement,
    QualityReport,
    QualityReference,
    PrivateProfile,
    PrivacyTest,
    PriceList,
    StandardProfile,
    StandardCheck,
)
"""The models we publish; a plug-in publishes the ``MODELS`` of its module with this name."""
KINDS: dict[str, type[Document]] = {
    current_version(model).partition("/")[0]: model
    for model in (*MODELS, *(one for module in mirrored("documents.schema") for one in module.MODELS))
}


def json_schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of ``kind``; raises `KeyError` for an unknown kind."""
    schema = KINDS[kind].model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:pilotbase:schema:{kind}:1",
        **schema,
    }
