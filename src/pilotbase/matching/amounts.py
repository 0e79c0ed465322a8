"""What a demand says in figures: cost of errors, horizon, volume, time to answer; and whether data may leave.

Quantities are read in a folded text of either language, each with its place: ``3 万元``, ``三百张``, ``百分之六``,
``两百多万``, ``9千6百元``, ``1.2 million``, ``CNY 30,000``, ``80k``, ``half a day``, ``forty-five thousand euros``.
A number that names none, such as 几千, is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain
from typing import Literal

from pilotbase.documents.demand import Band, DemandField
from pilotbase.matching.cues import Reading, SentenceRead
from pilotbase.matching.folding import Sentence, TextSpan
from pilotbase.matching.lexicon import CueFacet
from pilotbase.measures.stated_answers import numbers_in

_CURRENCIES: Mapping[str, str] = {
    "CNY": "cny|rmb|yuan|renminbi|人民币|元(?!素|器|件)|块钱?|¥", "USD": "usd|us dollars?|dollars?|美元|美金|\\$",
    "EUR": "eur|euros?|欧元|€", "GBP": "gbp|pounds?|英镑|£", "HKD": "hkd|港元|港币", "JPY": "jpy|日元|yen",
}  # fmt: skip
_SIGNS: Mapping[str, str] = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "CNY"}
_BEFORE = re.compile(r"(?P<code>cny|rmb|人民币|usd|us\$|eur|gbp|hkd|jpy)\s?$")
_GLUED = re.compile(r"(?<![a-z])(?:cny|rmb|usd|eur|gbp|hkd|jpy)(?=\d)")
_AFTER = re.compile(
    rf"\s?(?:左右|上下|or so)?\s?(?:{'|'.join(f'(?P<{name}>{words})' for name, words in _CURRENCIES.items())})(?![a-z])"
)
_DIME = re.compile(r"\s?(?:毛|角)(?:钱|$|[^度落])")
_SECONDS: Mapping[str, tuple[int | Fraction, str]] = {
    "ms": (Fraction(1, 1000), "毫秒|ms|milliseconds?"), "s": (1, "秒钟?|s|secs?|seconds?"),
    "min": (60, "分钟|min|mins|minutes?"), "h": (3600, "个?(?:小时|钟头)|h|hours?|hrs?"),
    "d": (86_400, "天|日(?!元|均)|days?"), "wk": (604_800, "个?(?:星期|礼拜)|周(?!期)|weeks?"),
    "mo": (2_592_000, "个?月(?!份)|months?"), "a": (31_536_000, "年(?!级|龄|轻)|years?"),
}  # fmt: skip
_TIME = re.compile(rf"\s?(?:{'|'.join(f'(?P<{name}>{words})' for name, (_, words) in _SECONDS.items())})(?![a-z])")
_SHARE = re.compile(r"\s?(?:个百分点|per ?cent\b|percent\b|成(?!本|为|果|分|功|员|立|熟|绩|长))")
_MORE = re.compile(r"(?:[多余来几])\s?(?P<scale>[百千万亿]{1,2})?")
_LETTER = re.compile(r"(?P<scale>k|bn|m)(?![a-z])")
_SCALES: Mapping[str, int] = {
    "百": 100, "千": 1000, "万": 10**4, "亿": 10**8, "百万": 10**6, "千万": 10**7, "k": 1000, "m": 10**6, "bn": 10**9,
}  # fmt: skip
_VAGUE = re.compile(r"[几数上好第]\s?$")
_ABOUT = re.compile(
    r"(?:约|大概|大约|近|左右|上下|差不多|(?<![a-z])(?:about|around|roughly|some|nearly|approximately|up to))\s?$"
)
_HALF = re.compile(r"半(?=个?(?:小时|天|年|月|钟头|个月))|(?<![a-z])half an? (?=[a-z])|(?<![a-z])half (?=a [a-z])")
_UNITS = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ENGLISH: Mapping[str, int] = {
    **{word: number for number, word in enumerate(f"{_UNITS} eighteen nineteen".split(), 1)},
    **{word: 10 * number for number, word in enumerate(_TENS.split(), 2)},
    "dozen": 12,
}
_POWERS: Mapping[str, int] = {"hundred": 100, "thousand": 1000, "million": 10**6}
_WORD = "|".join(sorted((*_ENGLISH, *_POWERS), key=len, reverse=True))
_IN_ENGLISH = re.compile(
    rf"(?<![a-z])(?:a (?=hundred|thousand|million|dozen))?(?:{_WORD})(?:(?:[ -]| and )(?:{_WORD}))*(?![a-z])"
)
_A = re.compile(r"(?<![a-z])an? (?=(?:second|minute|hour|day|week|month|year)\b)")
Kind = Literal["money", "time", "share", "count"]
_YEARLY = re.compile(r"一年|每年|去年|全年|年度|last year|a year|per year|yearly|annual")
_LOSS = re.compile(r"(?:损失|索赔|赔偿?|罚款?|要花|多花|cost\w*|pay\w*|lose\w*)[^,]{0,6}$")
_FAR = {"zh": 40, "en": 110}
"""Characters between a cue and the money that it costs."""
_NEAR = {"zh": 6, "en": 34}
"""Characters between a count and its period."""
_HARM = re.compile(r"损失|赔|浪费|罚|cost|lose|wasted|fined|penalt")
_AHEAD = re.compile(
    r"提前[^,]{0,3}$|未来[^,]{0,2}$|(?:next|coming|following|subsequent)\s$|今后$|within (?:the next )?$"
)
_LONGEST_ANSWER = 600
_BEHIND = re.compile(
    r"\s?(?:ahead|in advance|before|beforehand|earlier|early|之前|以前|前(?!后)|"
    r"(?:之|以)?内[^,]{0,4}(?:会不会|是否|将|发展|发生|会))"
)
_ONE_DAY = re.compile(r"第二天|次日|明天|day[- ]ahead|(?:next|following) day|tomorrow")
_ONE_WEEK = re.compile(r"下一?周|(?:next|coming|following) week(?!s)")
_PERIODS = {
    "hour": "小时|hour",
    "shift": "班|shift",
    "day": "天|日|day",
    "week": "周|week",
    "month": "月|month",
    "year": "年|year",
}
_PERIOD = re.compile(
    r"(?:(?:每|一|1)个?|(?<![a-z])(?:a|an|per|each|every) |/ ?)"
    + f"(?:{'|'.join(f'(?P<{name}>{words})' for name, words in _PERIODS.items())})(?![a-z])"
    + r"|(?:日均)|(?<![a-z])(?:daily|weekly|monthly|hourly)"
)
_ADVERBS = {"日均": "day", "daily": "day", "weekly": "week", "monthly": "month", "hourly": "hour"}
_COUNTED = re.compile(r"\s?[多余来]?\s?[件份张片台个条笔户次例艘辆单页册封套块根只批通]")
_BOUND = re.compile(r"不要?超过|不能超过|至多|最多|不超过|at most|no more than|not more than|only have|staff for")
_AT_ONCE = re.compile(
    r"(?:延迟|时延|响应|返回|出结果|延时)[^,]{0,10}$|(?:in under|in less than|within|latency|respond\w*)[^,]{0,14}$"
)
_DATA_ZH = "数据|资料|影像|图像|图片|照片|视频|信息|录音|音频|病历|工单|记录|文件|票据|来信|隐私|材料"
_OUT_ZH = (
    "出(?:厂|院|行|域|网|境|省|市|县|校|园|公司|政务|内网|机房|本地|去)|外传|外泄|外发|带出|上传|离开|传到外|上云|外流"
)
_STAYS_ZH = re.compile(
    rf"(?:{_DATA_ZH})[^。]{{0,24}}?(?:(?:不|禁止|严禁|不允许)(?:能|得|可以?|准|许|让)?[^,。]{{0,4}}(?:{_OUT_ZH})"
    r"|只能[^,。]{0,4}(?:在|留|存|放)[^,。]{0,14})"
)
_GOES_ZH = re.compile(rf"(?:{_DATA_ZH})[^。]{{0,12}}?(?<!不)(?:可以|允许|能够)(?:{_OUT_ZH}|公开|共享|提供给)|公开数据")
_DATA_EN = (
    r"(?<![a-z])(?:data|photos?|images?|pictures?|scans?|recordings?|audio|files?|records?|logs?|names?|videos?|"
    r"information|it|they)(?![a-z])"
)
_STAYS_EN = re.compile(
    rf"{_DATA_EN}[^.]{{0,60}}?(?:(?:may|must|can|shall|should|are|is|could)\s?(?:not|never)\s?(?:be |allowed to )?"
    r"(?:leave|sent|shared|processed|uploaded|exported|go |taken|disclosed)[^.,]{0,30}"
    r"|(?:stays?|remains?|(?:be )?kept)\s(?:on|in|within|inside|with)(?![a-z])[^.,]{0,30})"
    r"|(?<![a-z])no data (?:may |can |must )?leaves?"
)
_GOES_EN = re.compile(
    rf"{_DATA_EN}[^.]{{0,40}}?(?:may|can|could) (?:be (?:shared|sent|uploaded|published|made public)|leave)|open data"
)


@dataclass(frozen=True)
class Quantity(TextSpan):
    """A number with its unit: a currency, a unit of time; empty for shares (0.06) and counts."""

    value: Fraction
    kind: Kind
    unit: str
    exact: bool
    """False: the text says about, or more than."""

    @property
    def seconds(self) -> Fraction:
        """Return a duration in seconds."""
        return self.value * _SECONDS[self.unit][0]


def quantities_in(words: str) -> list[Quantity]:
    """Return the quantities of a folded text, by their place."""
    found: list[Quantity] = []
    for each in _joined(words, sorted(_numbers(words), key=lambda one: (one[0], -one[1]))):
        one = _quantity(words, *each) if not found or each[0] >= found[-1].end else None
        if one is not None:
            found.append(one)
    return found


def spelled(value: Fraction) -> str:
    """Return a number without an exponent, such as ``30000`` or ``0.06``."""
    return str(value) if value.denominator == 1 else f"{float(value):.12g}"


def _numbers(words: str) -> Iterator[tuple[int, int, Fraction]]:
    yield from numbers_in(_GLUED.sub(lambda code: "(" * len(code[0]), words))
    for found in _IN_ENGLISH.finditer(words):
        yield found.start(), found.end(), Fraction(_english(found[0]))
    for found in _HALF.finditer(words):
        yield found.start(), found.end(), Fraction(1, 2)
    for found in _A.finditer(words):
        yield found.start(), found.end(), Fraction(1)


def _joined(words: str, numbers: list[tuple[int, int, Fraction]]) -> Iterator[tuple[int, int, Fraction]]:
    """Yield the numbers, one that goes on at once after a unit of ten added to it: 9千6百."""
    before: tuple[int, int, Fraction] | None = None
    for start, end, value in numbers:
        if before and before[1] == start and words[start - 1] in "百千万亿" and value < before[2]:
            before = (before[0], end, before[2] + value)
            continue
        if before:
            yield before
        before = (start, end, value)
    if before:
        yield before


def _english(said: str) -> int:
    total = part = 0
    for word in re.findall("[a-z]+", said):
        if word in _ENGLISH:
            part = part * 12 if word == "dozen" and part else part + _ENGLISH[word]
        elif word in _POWERS and _POWERS[word] > 100:
            total, part = total + max(part, 1) * _POWERS[word], 0
        elif word in _POWERS:
            part = max(part, 1) * _POWERS[word]
    return total + part


def _quantity(words: str, start: int, end: int, value: Fraction) -> Quantity | None:
    before = words[max(start - 14, 0) : start]
    if _VAGUE.search(before):
        return None
    exact = not _ABOUT.search(before)
    more = _MORE.match(words, end) or _LETTER.match(words, end)
    if more:
        value, end, exact = value * _SCALES.get(more["scale"] or "", 1), more.end(), exact and more.re is _LETTER
    if words[start:end].rstrip().endswith(("%", "‰")) or "分之" in words[start:end]:
        return Quantity(start, end, value, "share", "", exact)
    return _with_unit(words, TextSpan(start, end), value, exact)


def _with_unit(words: str, at: TextSpan, value: Fraction, exact: bool) -> Quantity:
    before, sign = _BEFORE.search(words[max(at.start - 12, 0) : at.start]), _SIGNS.get(words[at.start])
    after, dime = _AFTER.match(words, at.end), _DIME.match(words, at.end)
    if dime:
        return Quantity(at.start, at.end + 1, value / 10, "money", "CNY", exact)
    if sign or after or before:
        code = sign or (after and after.lastgroup) or _code(before["code"] if before else "")
        start = at.start - len(before[0]) if before and not sign else at.start
        return Quantity(start, after.end() if after else at.end, value, "money", str(code), exact)
    share, time = _SHARE.match(words, at.end), _TIME.match(words, at.end)
    if share:
        return Quantity(at.start, share.end(), value / (10 if "成" in share[0] else 100), "share", "", exact)
    if time:
        return Quantity(at.start, time.end(), value, "time", str(time.lastgroup), exact)
    return Quantity(at.start, at.end, value, "count", "", exact)


def _code(said: str) -> str:
    return "CNY" if said in ("rmb", "人民币") else said.upper().replace("US$", "USD")


@dataclass(frozen=True)
class Amount:
    """One reading of a field, with the folded places that it rests on."""

    path: DemandField
    value: str
    unit: str | None
    band: Band
    ground: TextSpan
    after_order: bool = False


def amounts_in(reading: Reading) -> Iterator[Amount]:
    """Yield everything that the sentences of a demand say in figures, in their order; no stated lines."""
    for read in reading.sentences:
        sentence, found = read.sentence, quantities_in(read.sentence.words)
        said = (_costs(read, found), _horizon(sentence, found), _volume(sentence, found), _response(sentence, found))
        for one in chain(*said, _leaving(sentence)):
            yield replace(one, after_order=read.after_order)


def amount_of(path: DemandField, words: str, start: int) -> Amount | None:
    """Return the amount that a stated line gives for a field; ``start``: where its words begin in the folded text."""
    for one in quantities_in(words):
        ground = TextSpan(start + one.start, start + one.end)
        if path.startswith("costs.") and one.kind in ("money", "count"):
            return Amount(path, spelled(one.value), one.unit or "CNY", "sure", ground)
        if path in ("horizon", "response") and one.kind == "time":
            return Amount(path, *_time(one), "sure", ground)
        if path == "volume" and one.kind == "count":
            period = _PERIOD.search(words)
            return Amount(path, spelled(one.value), _period(period) if period else "day", "sure", ground)
    return None


def _costs(read: SentenceRead, found: list[Quantity]) -> Iterator[Amount]:
    sentence, start = read.sentence, read.sentence.start
    cues = [(TextSpan(hit.start - start, hit.end - start), facet) for hit, facet in read.facets("cost")]
    for one in found:
        clause = next(part for part in sentence.clauses if part.start <= one.start < part.end)
        said = sentence.words[clause.start : clause.end]
        bare = one.kind == "count" and _LOSS.search(sentence.words[: one.start])
        if (one.kind != "money" and not bare) or _YEARLY.search(said):
            continue
        before = [
            each for each in cues if each[0].end <= one.start and one.start - each[0].end <= _FAR[sentence.language]
        ]
        behind = [each for each in cues if one.end <= each[0].start <= one.end + _FAR[sentence.language]]
        cue, facet = _strongest(sentence, before) if before else behind[0] if behind else (None, None)
        if cue is None and one.kind == "money" and _HARM.search(said):
            yield Amount("costs.miss", spelled(one.value), one.unit, "guess", _at(sentence, one))
        if cue is None or facet is None or facet.value == "none":
            continue
        clear = facet.weight > 1 and one.exact and not bare and bool(before)
        band: Band = "sure" if clear else "guess" if bare and facet.weight <= 1 else "likely"
        ground = TextSpan(start + min(cue.start, one.start), start + max(cue.end, one.end))
        path: DemandField = "costs.miss" if facet.value == "miss" else "costs.false_alarm"
        yield Amount(path, spelled(one.value), one.unit or "CNY", band, ground)


def _strongest(sentence: Sentence, cues: list[tuple[TextSpan, CueFacet]]) -> tuple[TextSpan, CueFacet]:
    """Return the strongest cue of the clause that holds the last one: a false alarm that stops a line is no miss.

    That money is no cost (a budget) only the last one says.
    """
    last = cues[-1]
    begin = max(clause.start for clause in sentence.clauses if clause.start <= last[0].start)
    told = [one for one in cues if one is last or (one[0].start >= begin and one[1].value != "none")]
    return max(told, key=lambda one: (one[1].weight, one[0].start))


def _horizon(sentence: Sentence, found: list[Quantity]) -> Iterator[Amount]:
    for one in found:
        before, behind = sentence.words[: one.start], sentence.words[one.end :]
        ahead = _AHEAD.search(before)
        soon = ahead is not None and ahead[0] == "within " and one.seconds <= _LONGEST_ANSWER
        if one.kind == "time" and (ahead or _BEHIND.match(behind)) and not soon:
            clear = one.exact and (ahead is None or "within" not in ahead[0])
            yield Amount("horizon", *_time(one), "sure" if clear else "likely", _at(sentence, one))
    for words, days in ((_ONE_DAY, "1"), (_ONE_WEEK, "7")):
        for named in words.finditer(sentence.words):
            yield Amount("horizon", days, "d", "likely", _at(sentence, TextSpan(*named.span())))


def _volume(sentence: Sentence, found: list[Quantity]) -> Iterator[Amount]:
    periods = list(_PERIOD.finditer(sentence.words)) if found else []
    for one in found:
        if one.kind != "count" or one.value < 2 or any(p.start() <= one.start < p.end() for p in periods):
            continue
        counted = sentence.language == "en" or _COUNTED.match(sentence.words, one.end)
        for period in periods:
            between = _between(sentence, one, period)
            near = between is not None and len(between) <= _NEAR[sentence.language] and "," not in between
            if counted and near and not _BOUND.search(sentence.words[max(one.start - 16, 0) : one.start]):
                ground = TextSpan(min(one.start, period.start()), max(one.end, period.end()))
                yield Amount("volume", spelled(one.value), _period(period), "likely", _at(sentence, ground))
                break


def _response(sentence: Sentence, found: list[Quantity]) -> Iterator[Amount]:
    for one in found:
        if one.kind == "time" and one.seconds <= _LONGEST_ANSWER and _AT_ONCE.search(sentence.words[: one.start]):
            yield Amount("response", *_time(one), "likely", _at(sentence, one))


def _leaving(sentence: Sentence) -> Iterator[Amount]:
    stays, goes = (_STAYS_ZH, _GOES_ZH) if sentence.language == "zh" else (_STAYS_EN, _GOES_EN)
    for pattern, value in ((stays, "false"), (goes, "true")):
        for found in pattern.finditer(sentence.words):
            yield Amount("conditions.data_may_leave", value, None, "sure", _at(sentence, TextSpan(*found.span())))


def _time(one: Quantity) -> tuple[str, str]:
    """Return a duration as a number and a unit; weeks in days."""
    return (spelled(one.value * 7), "d") if one.unit == "wk" else (spelled(one.value), one.unit)


def _period(found: re.Match[str]) -> str:
    return found.lastgroup or _ADVERBS[found[0]]


def _between(sentence: Sentence, one: TextSpan, period: re.Match[str]) -> str | None:
    """Return the words between a count and a period; in English the count comes first."""
    if one.end <= period.start():
        return sentence.words[one.end : period.start()]
    return sentence.words[period.end() : one.start] if sentence.language == "zh" else None


def _at(sentence: Sentence, span: TextSpan) -> TextSpan:
    return TextSpan(sentence.start + span.start, sentence.start + span.end)
