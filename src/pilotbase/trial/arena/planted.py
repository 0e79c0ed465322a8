"""Instructions that somebody has planted in data: what tools return should inform an agent, and not order it about.

Recognised by usual wordings in English and Chinese. So a finding is worth a look, and none is no proof that there is
nothing: what holds an agent that obeys is the fence.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

_READER = r"(?:assistants?|agents?|ais?|language models?|llms?|(?:chat ?)?bots?)"
_READER_ZH = r"(?:助手|智能体|机器人|模型)们?"
_WORDINGS = re.compile(
    "|".join(
        (
            r"\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:instructions?|orders?|prompts?|rules?|tasks?)\b",
            rf"\b(?:to|for) (?:the |all |any )?{_READER}\b",
            rf"\b{_READER} (?:must|should|shall|have to|has to|needs? to)\b",
            r"\bbefore (?:you|doing|handling|processing)\b[^.]{0,40}\b(?:else|this|first|following)\b",
            r"\b(?:do not|don't|never) (?:mention|tell|reveal|report) (?:this|that|it|anyone|the user)\b",
            r"\b(?:you are now|new instructions?|system (?:notice|prompt|message|override))\b",
            r"\bwhoever (?:processes|reads|handles) this\b",
            r"\b(?:to unlock it|only valid if you|forgot to (?:say|mention))\b",
            r'</?(?:information|system|instructions?)>|<!-- ?system|\[(?:system|inst)\]|"role": ?"(?:user|system)"',
            r"(?:忽略|无视|忘记|不要理会).{0,12}(?:指令|要求|任务|提示|规则)",
            rf"(?:给|致){_READER_ZH}|{_READER_ZH}(?:须|必须|应|需|务必)",
            r"在此之前|处理本件之前|经办本件者|解锁须|须同时|刚才忘了说|(?:不必|不要|请勿)(?:提及|告知|告诉)",
            r"系统(?:通知|指令|提示)|<!-- ?系统",
        )
    ),
    re.DOTALL,
)
_UNSEEN = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))
"""Characters that break up a word for a program and not for a reader."""


def gives_orders(returned: Any) -> bool:
    """Return whether a text in what a tool returned, JSON, tells its reader what to do."""
    return any(_WORDINGS.search(_folded(told)) for told in _texts(returned))


def _folded(told: str) -> str:
    return unicodedata.normalize("NFKC", told.translate(_UNSEEN)).casefold()


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield str(name)
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
