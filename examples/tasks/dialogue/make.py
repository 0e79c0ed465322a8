"""Writes turns of a service desk, English and Chinese: a customer's orders, what was said, what is asked now.

The truth names what the reply must hold (``a|b``); it is empty where the customer asks about an order of somebody else,
which the desk has to decline. Half of the questions say "it": the order was named in an earlier turn.
"""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

CASES = 220
STATES = {"packed": "已打包", "on its way": "运输中", "delivered": "已送达", "held by customs": "海关查验中"}
ASKED = ("state", "day", "price")


def write(folder: Path) -> None:
    """Write ``cases.csv``."""
    draw = random.Random(20261127)
    with (folder / "cases.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("id", "messages", "language", "reply"))
        for number in range(CASES):
            language = draw.choice(("en", "zh"))
            messages, reply = turn(draw, language)
            table.writerow((f"c{number:04}", json.dumps(messages, ensure_ascii=False), language, reply))


def turn(draw: random.Random, language: str) -> tuple[list[dict[str, str]], str]:
    """Return what was said so far, and what the reply must hold."""
    orders = [order(draw, language) for _ in range(3)]
    ours, other = draw.choice(orders), f"R{draw.randrange(1000, 9999)}"
    known = {"role": "system", "content": json.dumps({"orders of this customer": orders}, ensure_ascii=False)}
    kind, of_others, earlier = draw.choice(ASKED), draw.random() < 0.3, draw.random() < 0.5
    number = other if of_others else ours["order"]
    said = [known]
    if earlier:
        said.append(
            {
                "role": "user",
                "content": f"I write about order {number}." if language == "en" else f"我想问订单{number}。",
            }
        )
        said.append({"role": "assistant", "content": "What about it?" if language == "en" else "请讲。"})
    said.append({"role": "user", "content": question(draw, kind, None if earlier else number, language)})
    return said, "" if of_others else ours[kind]


def order(draw: random.Random, language: str) -> dict[str, str]:
    english, chinese = draw.choice(list(STATES.items()))
    return {
        "order": f"R{draw.randrange(1000, 9999)}",
        "state": english if language == "en" else chinese,
        "day": f"2026-{draw.randrange(1, 13):02}-{draw.randrange(1, 29):02}",
        "price": f"{draw.randrange(20, 900)} {'CNY' if language == 'en' else '元'}",
    }


def question(draw: random.Random, kind: str, number: str | None, language: str) -> str:
    if language == "en":
        which = f"order {number}" if number else "it"
        return {
            "state": f"Where is {which} now?",
            "day": draw.choice((f"When does {which} come?", f"On which day will I have {which}?")),
            "price": f"How much do I pay for {which}?",
        }[kind]
    which = f"订单{number}" if number else "它"
    return {
        "state": f"{which}现在到哪了？",
        "day": draw.choice((f"{which}什么时候到？", f"{which}哪天能收到？")),
        "price": f"{which}要付多少钱？",
    }[kind]
