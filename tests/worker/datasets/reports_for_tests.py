"""A quality report on the plant's dataset, with a figure that closed data may not tell."""

from pilotbase.documents.quality import QualityReport
from tests.catalogue.agreements_for_tests import DATASET, in_file

LOGS = [{"name": "logs", "field": in_file([{"name": "torque", "dataType": "sc:Float"}])}]
"""Record sets of the dataset that it speaks of."""


def quality_report(subject: str = DATASET, **changes) -> QualityReport:
    value = {
        "dataset": subject,
        "version": "1.0.0",
        "data": f"sha256:{'0' * 64}",
        "engine": "pilotbase 0.1.0",
        "opening": "compute_to_data",
        "profiles": [{"recordSet": "logs", "rows": 1000}],
        "rules": [
            {
                "rule": "torque.range",
                "kind": "range",
                "recordSet": "logs",
                "evaluated": 1000,
                "passed": 997,
                "failed": 3,
                "rows": [17, 440, 812],
            }
        ],
        "checks_declared": 1,
        "checks_run": 1,
        "grade": {"purpose": "verification", "outcome": "pass", "measured": 4, "required": 4},
    }
    return QualityReport.model_validate({**value, **changes})
