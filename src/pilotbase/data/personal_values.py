"""Values that name a person, by their form: identity cards, mobile numbers, mail addresses, plates, bank cards, names.

Numbers of the resident identity card are recognised by their check digit (GB 11643-1999; ISO 7064, MOD 11-2), bank
cards by theirs (ISO/IEC 7812-1, annex B). Within a longer text the form alone has to do: it errs on the safe side.
"""

from __future__ import annotations

import re

_ID_CARD = r"[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]"
_MOBILE = r"1[3-9]\d{9}"
_WHOLE_ID_CARD = re.compile(_ID_CARD)
_WHOLE_MOBILE = re.compile(r"(\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}")
_WHOLE_MAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
_PLATE = re.compile(r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][·\s]?[A-Z0-9]{5,6}")
_SURNAMES = frozenset(
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟"
    "汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
_CHINESE_NAME = re.compile(r"[一-鿿]{2,4}")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)

IN_COLUMN = "|".join(
    f"(?:{pattern})"
    for pattern in (
        rf"(?:^|\D){_ID_CARD}(?:$|\D)",
        rf"(?:^|[^\d.])(?:\+?86[- ]?)?{_MOBILE}(?:$|\D)",
        r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+\.[A-Za-z]{2,}",
        r"(?:^|\D)(?:62|4\d|5[1-5])\d{14,17}(?:$|\D)",
    )
)
"""An identity card, a mobile number, a mail address or a bank card in a cell, for the table library: no look-around."""
IN_WORDS = re.compile(rf"(?<!\d)(?:{_MOBILE}|\d{{17}}[\dx])(?!\d)|[\w.+-]{{1,64}}@[\w-]{{1,63}}\.[\w.]{{2,20}}")
"""A number or an address in what somebody writes, in lower case; bounded, so that no text takes long."""


def is_identity_number(number: str) -> bool:
    """Return whether ``number`` is one of a resident identity card, by its form and its check digit."""
    if _WHOLE_ID_CARD.fullmatch(number) is None:
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number[:17], strict=True))
    return "10X98765432"[total % 11] == number[17].upper()


def is_mobile_number(number: str) -> bool:
    """Return whether ``number`` is one of a mobile telephone in China, by its form."""
    return _WHOLE_MOBILE.fullmatch(number) is not None


def is_mail_address(value: str) -> bool:
    """Return whether ``value`` has the form of a mail address."""
    return _WHOLE_MAIL.fullmatch(value) is not None


def is_plate(value: str) -> bool:
    """Return whether ``value`` has the form of a number plate of mainland China."""
    return _PLATE.fullmatch(value) is not None


def is_card_number(number: str) -> bool:
    """Return whether ``number`` is one of a bank card: 16 to 19 digits with the check digit."""
    digits = number.replace(" ", "")
    if not re.fullmatch(r"[3-6]\d{15,18}", digits):
        return False
    doubled = [int(digit) * (2 if at % 2 else 1) for at, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def is_chinese_name(value: str) -> bool:
    """Return whether ``value`` is a common surname with one or two characters after it."""
    return _CHINESE_NAME.fullmatch(value) is not None and len(value) < 4 and value[0] in _SURNAMES
