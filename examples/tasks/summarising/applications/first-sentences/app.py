"""The first two sentences of the report."""

import re


def predict(batch):
    return ["".join(re.findall(r"[^.。]+[.。]\s*", report)[:2]).strip() for report in batch["report"]]
