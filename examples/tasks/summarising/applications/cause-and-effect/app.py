"""Takes the sentences that name the machine, the cause and what was done."""

import re

WORDS = re.compile(
    r"stopped|stood still|cause|to blame|replaced|cleaned|tightened|sealed|"
    r"停机|停止运行|原因|所致|更换后|清洗后|紧固后|密封后|当班人员完成"
)
SENTENCE = re.compile(r"[^.。]+[.。]\s*")
LONGEST = 200


def predict(batch):
    return [summary(report) for report in batch["report"]]


def summary(report):
    found = "".join(sentence for sentence in SENTENCE.findall(report) if WORDS.search(sentence)).strip()
    return found.encode()[:LONGEST].decode(errors="ignore")
