"""The documents of the estate with a published JSON Schema."""

from __future__ import annotations

from pilotbase.documents.base import Document
from pilotbase_estate.documents.compute_job import ComputeJob
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.pool_replay import PoolReplay
from pilotbase_estate.documents.voucher import (
    ClaimDecision,
    ClaimPayout,
    Settlement,
    UsageSheet,
    Voucher,
    VoucherClaim,
    VoucherHold,
    VoucherRules,
)

MODELS: tuple[type[Document], ...] = (
    Pool,
    ComputeJob,
    PoolReplay,
    VoucherRules,
    Voucher,
    VoucherHold,
    UsageSheet,
    Settlement,
    VoucherClaim,
    ClaimDecision,
    ClaimPayout,
)
