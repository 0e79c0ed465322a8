"""What a column reveals about a person, by its name and the form of its values, and its unit: guesses that err safely.

Numbers of the resident identity card are recognised by their check digit (GB 11643-1999; ISO 7064, MOD 11-2), bank
cards by theirs (ISO/IEC 7812-1, annex B), mobile numbers by their form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from pilotbase.data.column_guesses import guess_unit
from pilotbase.data.describing.guesses import Guess, Sure
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Sensitivity

_SHARE = 0.5
"""Share of the values that must have a form for the column to hold it."""
_ID_CARD = re.compile(r"[1-9]\d{5}(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\d{3}[\dXx]")
_MOBILE = re.compile(r"(\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
_PLATE = re.compile(r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][·\s]?[A-Z0-9]{5,6}")
_SURNAMES = frozenset(
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟"
    "汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
_CHINESE_NAME = re.compile(r"[一-鿿]{2,4}")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_SAME = frozenset(
    (
        *("kW", "MW", "GW", "W", "kV", "V", "mV", "mA", "A", "Hz", "kHz", "MHz", "GHz", "VA", "kVA", "MVA", "Ohm"),
        *("Pa", "kPa", "MPa", "hPa", "bar", "mbar", "N", "kN", "J", "kJ", "MJ", "K", "dB", "lx", "lm", "%"),
        *("mm", "cm", "km", "m", "nm", "m2", "m3", "ms", "s", "min", "h", "d", "a", "mo", "m/s", "km/h", "mm/s"),
        *("kg", "mg", "g", "t", "L", "mL", "mg/L", "g/L", "ng/mL", "ug/L", "mmol/L", "umol/L", "mg/dL", "g/dL"),
    )
)
_SPELLED = {
    "°c": "Cel", "℃": "Cel", "摄氏度": "Cel", "c": "Cel", "°f": "[degF]", "℉": "[degF]", "rpm": "{rev}/min",
    "r/min": "{rev}/min", "转/分": "{rev}/min", "kwh": "kW.h", "kw·h": "kW.h", "mwh": "MW.h", "千瓦时": "kW.h",
    "兆瓦时": "MW.h", "万千瓦时": "10*4.kW.h", "n·m": "N.m", "nm": "N.m", "nm/s": "nm/s", "mmhg": "mm[Hg]",
    "cmhg": "cm[Hg]", "mph": "[mi_i]/h", "mi": "[mi_i]", "cny": "{CNY}", "usd": "{USD}", "eur": "{EUR}",
    "元": "{CNY}", "万元": "10*4.{CNY}", "人民币": "{CNY}", "千瓦": "kW", "兆瓦": "MW", "瓦": "W", "伏": "V",
    "千伏": "kV", "安": "A", "毫安": "mA", "赫兹": "Hz", "帕": "Pa", "千帕": "kPa", "兆帕": "MPa", "米": "m",
    "厘米": "cm", "毫米": "mm", "千米": "km", "公里": "km", "秒": "s", "毫秒": "ms", "分": "min", "分钟": "min",
    "小时": "h", "时": "h", "天": "d", "日": "d", "岁": "a", "年": "a", "月": "mo", "克": "g", "千克": "kg",
    "公斤": "kg", "吨": "t", "升": "L", "毫升": "mL", "立方米": "m3", "平方米": "m2", "m³": "m3", "m²": "m2",
    "m^3": "m3", "m^2": "m2", "m³/h": "m3/h", "m3/h": "m3/h", "t/h": "t/h", "米/秒": "m/s", "公里/小时": "km/h",
    "μg/m³": "ug/m3", "ug/m3": "ug/m3", "μg/m3": "ug/m3", "mg/m³": "mg/m3", "次/分": "/min", "bpm": "/min",
    "ppm": "[ppm]", "ppb": "[ppb]", "μm": "um", "um": "um", "ω": "Ohm", "m/s²": "m/s2", "mm/s²": "mm/s2",
    "m/s2": "m/s2", "mmol/l": "mmol/L", "mg/dl": "mg/dL", "g/dl": "g/dL", "ml": "mL", "l": "L",
}  # fmt: skip
_COUNTS = re.compile(r"(^|[_\s])(in|per|each|of|every)[_\s][A-Za-z]+$", re.IGNORECASE)
"""``departures_in_hour`` counts departures: it is no length of time."""
_UCUM = {**{unit.lower(): unit for unit in _SAME}, **_SPELLED}
"""A unit as people write it, in lower case → in UCUM; a word that already is UCUM takes precedence."""


class _Name(NamedTuple):
    """The meaning of a column's name."""

    pattern: re.Pattern[str]
    sensitivity: Sensitivity


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-z])({pattern})(?![A-Za-z])", re.IGNORECASE)


_NAMES = (
    _Name(
        _words(
            "patient_?(name|id|no)|full_?name|first_?name|last_?name|surname|person(_?name)?|driver_?name|contact|"
            "phone|mobile|tel|telephone|e-?mail|address|passport|ssn|id_?card|identity|mrn|account_?(no|number)|iban|"
            "card_?(no|number)|licen[cs]e_?plate|plate_?no|ip_?address|imei|wechat|openid|user_?id|customer_?id"
        ),
        Sensitivity.IDENTIFIER,
    ),
    _Name(
        re.compile(
            "姓名|身份证|证件号|手机|电话|联系方式|邮箱|住址|地址|护照|病历号|住院号|门诊号|银行卡|卡号|账号|车牌|微信|患者编号|客户编号|用户名"
        ),
        Sensitivity.IDENTIFIER,
    ),
    _Name(
        _words(
            "diagnosis|disease|illness|hiv|icd(_?10)?|genotype|religion|ethnicity|race|income|salary|wage|credit_?score|"
            "savings|blood\\w*|cholesterol|heart_?rate|ecg|angina|chest_?pain|bmi|glucose|\\w*blood_pressure|"
            "criminal\\w*|political\\w*|biometric\\w*|health_?status|foreign_?worker"
        ),
        Sensitivity.SENSITIVE,
    ),
    _Name(
        re.compile("诊断|疾病|病史|病种|收入|工资|薪|宗教|民族|征信|存款|血压|血糖|心率|胆固醇|犯罪|基因|健康状况"),
        Sensitivity.SENSITIVE,
    ),
    _Name(
        _words(
            "age|sex|gender|birth\\w*|date_?of_?birth|dob|zip|zip_?code|post_?code|postal_?code|city|town|district|"
            "occupation|job|profession|nationality|marital\\w*|personal_status\\w*|education|employer|employment|lat|latitude|lon|longitude|home\\w*"
        ),
        Sensitivity.QUASI_IDENTIFIER,
    ),
    _Name(
        re.compile("年龄|性别|出生|生日|邮编|城市|区县|籍贯|职业|学历|婚姻|国籍|单位名称|经度|纬度"),
        Sensitivity.QUASI_IDENTIFIER,
    ),
)


def is_identity_number(number: str) -> bool:
    """Return whether ``number`` is one of a resident identity card, by its form and its check digit."""
    if _ID_CARD.fullmatch(number) is None:
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number[:17], strict=True))
    return "10X98765432"[total % 11] == number[17].upper()


def is_card_number(number: str) -> bool:
    """Return whether ``number`` is one of a bank card: 16 to 19 digits with the check digit."""
    digits = number.replace(" ", "")
    if not re.fullmatch(r"[3-6]\d{15,18}", digits):
        return False
    doubled = [int(digit) * (2 if at % 2 else 1) for at, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def guess_sensitivity(name: str, sample: Sequence[str]) -> tuple[Sensitivity, Guess] | None:
    """Return what a column may reveal about a person, and on which ground; None if nothing indicates that."""
    by_values = _by_values(sample)
    if by_values is not None:
        return by_values
    spelled = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)
    for known in _NAMES:
        found = known.pattern.search(spelled)
        if found is not None:
            ground = text("describe.ground.personal_name", name=name, word=found[0])
            return known.sensitivity, Guess("sensitivity", ground, Sure.LIKELY)
    return None


def _by_values(sample: Sequence[str]) -> tuple[Sensitivity, Guess] | None:
    values = [value.strip() for value in sample if value.strip()]
    for what, holds in _FORMS:
        share = sum(map(holds, values)) / len(values) if values else 0.0
        if share >= _SHARE:
            ground = text("describe.ground.personal_values", what=what, share=f"{100 * share:.0f} %")
            return Sensitivity.IDENTIFIER, Guess("sensitivity", ground, Sure.CERTAIN)
    return None


def _is_chinese_name(value: str) -> bool:
    return _CHINESE_NAME.fullmatch(value) is not None and len(value) < 4 and value[0] in _SURNAMES


_FORMS: tuple[tuple[object, Callable[[str], bool]], ...] = (
    (text("describe.personal.identity_number"), is_identity_number),
    (text("describe.personal.mobile"), lambda value: _MOBILE.fullmatch(value) is not None),
    (text("describe.personal.mail"), lambda value: _MAIL.fullmatch(value) is not None),
    (text("describe.personal.plate"), lambda value: _PLATE.fullmatch(value) is not None),
    (text("describe.personal.card"), is_card_number),
    (text("describe.personal.chinese_name"), _is_chinese_name),
)


def guess_ucum(name: str) -> tuple[str, Guess] | None:
    """Return the unit at the end of a column's name in the spelling of UCUM 2.1, and why; None for an unknown one."""
    written = guess_unit(name)
    if written is None or _COUNTS.search(name):
        return None
    unit = written if written in _SAME else _UCUM.get(written.strip().lower())
    if unit is None:
        return None
    return unit, Guess("unit", text("describe.ground.unit", name=name, written=written), Sure.LIKELY)
