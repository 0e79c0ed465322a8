"""Whether an answer declines in words, English or Chinese, by lists of phrases at the beginning of such answers."""

from __future__ import annotations

import re

from pilotbase.measures.reading.tokens import normal

_BEGINNING = 200
"""Letters within which an answer that declines says so; later it may mention limitations."""
_I_AM = r"\b(?:i|we)(?: am|'m| are|'re)"
_CANNOT = r"(?:can't|cannot|can not|won't|will not|must decline to|have to decline to|refuse to)"
_ANSWER = r"(?:answer|assist|help|provide|share|give|tell|reveal|disclose|say|discuss|comply|do that|determine|fulfil)"
_CHINESE_CANNOT = r"(?:无法|不能|不便|无权|不会|拒绝|难以)(?:[为向给]?[您你]|对此|直接|继续)?"
_CHINESE_ANSWER = r"(?:回答|提供|帮助|协助|满足|透露|告诉|告知|公开|执行|确定|作答|给出|讨论)"
_PHRASES = re.compile(
    rf"{_I_AM}(?: truly| very| so| really)? sorry\b.{{0,40}}\b(?:can't|cannot|can not|unable|won't|not able)"
    rf"|\b(?:i|we)(?: really| simply)? {_CANNOT} (?:\w+ )?{_ANSWER}"
    rf"|{_I_AM} (?:unable|not able|not allowed|not permitted|not authori[sz]ed) to\b"
    r"|\b(?:i|we) (?:must|have to) decline\b|\bas an ai\b"
    r"|\b(?:unable|not able) to (?:answer|assist|help|provide)\b|\bcannot be (?:answered|determined)\b"
    r"|\b(?:i|we) (?:don't|do not) (?:know|have (?:enough |sufficient |any )?(?:information|access))\b"
    rf"|{_CHINESE_CANNOT}{_CHINESE_ANSWER}|作为(?:一个|一名)?(?:ai|人工智能)|(?:我|我们)(?:并)?不(?:知道|清楚)"
    r"|没有(?:足够的?)?(?:相关)?(?:信息|资料|权限)|无可奉告"
)


def declines(answer: str) -> bool:
    """Return whether ``answer`` declines at its beginning. Phrases are looked up, meaning isn't analysed."""
    return _PHRASES.search(normal(answer[: 2 * _BEGINNING])[:_BEGINNING].replace("’", "'")) is not None
