"""Procedures by the terms that they share with the question, whichever the language."""

THINGS = {
    "pump": ("pump", "水泵", "泵"), "valve": ("valve", "阀门", "阀"), "motor": ("motor", "电机"),
    "filter": ("filter", "滤网"), "belt": ("belt", "皮带"), "sensor": ("sensor", "传感器"),
    "battery": ("battery", "蓄电池", "电池"), "fan": ("fan", "风机"),
}  # fmt: skip
WORK = {
    "replace": ("swap", "new", "replace", "换"),
    "clean": ("clean", "wash", "洗"),
    "inspect": ("inspect", "check", "检"),
    "oil": ("oil", "lubric", "油", "润滑"),
    "restart": ("restart", "start", "重启", "启动"),
    "safety": ("safety", "安全"),
}


def predict(batch):
    return [ranked(*pair) for pair in zip(batch["question"], batch["procedures"], strict=True)]


def ranked(question, procedures):
    """Return numbers of procedures, best first; a note on safety comes after the work itself."""
    thing, work = named(THINGS, question), named(WORK, question)
    scores = {}
    for line in procedures.splitlines():
        number, title = line.split(" ", 1)
        kind = named(WORK, title)
        scores[number] = 2 * (named(THINGS, title) == thing) + 2 * (kind == work) + (kind == "safety")
    return sorted(scores, key=scores.get, reverse=True)


def named(terms, text):
    """Return the term whose spellings come nearest to being in ``text``."""
    text = text.lower()
    return max(terms, key=lambda term: max(likeness(spelling, text) for spelling in terms[term]))


def likeness(spelling, text):
    """Return the share of pairs of letters of ``spelling`` that stand in ``text``, and more for a whole one."""
    if spelling in text:
        return 1 + len(spelling) / 100
    pairs = [spelling[at : at + 2] for at in range(len(spelling) - 1)]
    return sum(pair in text for pair in pairs) / max(len(pairs), 1)
