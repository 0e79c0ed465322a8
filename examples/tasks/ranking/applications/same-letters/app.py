"""Procedures by the pairs of letters that they share with the question."""


def predict(batch):
    return [ranked(*pair) for pair in zip(batch["question"], batch["procedures"], strict=True)]


def ranked(question, procedures):
    asked = pairs(question)
    shared = {}
    for line in procedures.splitlines():
        number, title = line.split(" ", 1)
        shared[number] = len(asked & pairs(title)) / len(pairs(title))
    return sorted(shared, key=shared.get, reverse=True)


def pairs(text):
    text = text.lower()
    return {text[at : at + 2] for at in range(len(text) - 1)}
