"""Examples of what the operations of the estate take, for the OpenAPI schema."""

from __future__ import annotations

from typing import Any

PARAMETERS: dict[str, Any] = {
    "pool": "hall-2",
    "job": "job-0c5d7e1a9b3f4826",
    "member": 0,
    "programme": "example-2027",
}
"""Name of a parameter of an address → a value."""

EXAMPLES: dict[str, dict[str, Any]] = {
    "NewJob": {
        "upload": "0c5d7e1a9b3f4826a1d0c7e95b82f364",
        "entry": ["train.py", "--rounds", "20"],
        "demand": {"cpu": 4, "memory": "8 GiB"},
        "hours": 2,
        "data": [{"dataset": "dataset:plant/logs", "file": "logs.csv"}],
    },
    "ConsideredJob": {"entry": ["train.py"], "demand": {"cpu": 4, "memory": "8 GiB"}, "hours": 2},
    "NewClaim": {
        "job": "job:41",
        "attempt": 1,
        "side": "consumer",
        "files": [{"upload": "0c5d7e1a9b3f4826a1d0c7e95b82f364", "kind": "receipt"}],
        "payment": {
            "reference": "INV-7",
            "amount": 140_000,
            "paid_on": "2027-03-01",
            "payer": "acme",
            "payee": "example-centre",
        },
    },
    "NewVerdict": {"granted": True, "note": "The receipt shows the whole fee."},
    "NewPayout": {"reference": "bank-77"},
    "VoucherRules": {
        "document": "voucher-rules/1",
        "name": "example-2027",
        "title": {"en": "Example of a programme", "zh": "示例计划"},
        "issuer": "example-bureau",
        "begins": "2027-01-01",
        "ends": "2027-12-31",
        "claimed_by": ["supplier", "consumer"],
        "rate": 3000,
        "cap_voucher": 5_000_000,
        "cap_year": 10_000_000,
        "total": 1_000_000_000,
        "valid_days": 180,
    },
}
"""Name of a model → a value of it."""
