"""What the benchmark's hub holds: made-up scenarios, applications and trials, in English and Chinese.

Words differ in frequency: a site or an object occurs in a few of a hundred records, a remark in every fifth, a number
in one. All are lower case: search compares folded words, and a mould knows a word in one spelling only.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.hub.moulds import Mould, Words, take
from pilotbase.catalogue.advancing import Move, advance
from pilotbase.catalogue.capabilities import state_capability
from pilotbase.catalogue.subjects import subject_of
from pilotbase.documents.application import Application
from pilotbase.documents.base import Part
from pilotbase.documents.capability import Capability
from pilotbase.documents.demand import WordedDemand
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import ApplicationVersion, Commission, Price, Record
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.subjects import Organisation
from pilotbase.documents.vocabularies import Role
from pilotbase.workspace.actors import Actor, actor
from pilotbase.workspace.store import Store

BASE = "pilot-base"
DESK = actor(BASE, Role.OPERATOR, person="desk")


def _pairs(words: str) -> tuple[list[str], ...]:
    return tuple(pair.split("/") for pair in words.split())


SECTORS = ("manufacturing", "healthcare", "transport", "finance", "energy")
OBJECTS = _pairs(
    "spindle/主轴 bearing/轴承 gearbox/齿轮箱 pump/水泵 boiler/锅炉 weld/焊缝 conveyor/输送带 transformer/变压器 "
    "turbine/汽轮机 valve/阀门 crane/吊车 furnace/高炉 loom/织机 battery/电池 rotor/转子 wafer/晶圆 "
    "ward/病房 retina/眼底 x-ray/胸片 prescription/处方 ambulance/救护车 pathology/病理 insulin/胰岛素 triage/分诊 "
    "berth/泊位 container/集装箱 runway/跑道 signal/信号灯 parcel/包裹 ferry/渡轮 tunnel/隧道 highway/高速公路 "
    "loan/贷款 invoice/发票 claim/理赔 mortgage/按揭 broker/经纪 ledger/账本 voucher/凭证 premium/保费 "
    "grid/电网 photovoltaic/光伏 windfarm/风电场 pipeline/管道 substation/变电站 meter/电表 reservoir/水库 well/油井"
)
FAULTS = _pairs(
    "fails/失效 overheats/过热 leaks/泄漏 cracks/裂纹 is-late/延误 is-misread/误读 is-forged/造假 drifts/漂移 "
    "wears/磨损 vibrates/振动 is-short/短缺 is-overloaded/过载 is-missed/漏检 corrodes/腐蚀 ages/老化 stalls/停机"
)
SITES = _pairs(
    "harbour/港口 north/北厂 south/南厂 river/江畔 hill/山区 coast/沿海 old-town/老城 new-town/新区 east/东区 west/西区"
)
REMARKS = _pairs(
    "nobody-sees-it/无人察觉 shifts-change/交接班 costs-rise/成本上升 data-are-noisy/数据噪声 "
    "labels-are-rare/标签稀少 sensors-differ/传感器不一 staff-is-new/人员更替 repair-waits/等待维修 "
    "stock-runs-out/库存不足 night-is-worse/夜间更甚 "
    "winter-is-worse/冬季更甚 false-alarms-tire/误报疲劳 hints-come-late/提示滞后 paper-records/纸质记录 "
    "two-systems/两套系统 old-machines/老旧设备 safety-first/安全第一 fines-follow/罚款 energy-is-wasted/能源浪费 "
    "quality-suffers/质量下降 customers-complain/客户投诉 rules-changed/规则变更 experts-retire/专家退休 "
    "tests-are-slow/检验缓慢"
)
EVERYWHERE = ("early-warning", "预警")
"""Words that occur in about every third record."""


@dataclass(frozen=True)
class Steps:
    """The real path of one record: its words, and the steps that each person takes."""

    words: Words
    take: Callable[[Store], None]


def prose(randomness: random.Random, number: int) -> dict[str, str]:
    """Return title and problem of record ``number`` in both languages."""
    thing, fault, site = (randomness.choice(pairs) for pairs in (OBJECTS, FAULTS, SITES))
    remarks = randomness.sample(REMARKS, 9)
    if randomness.random() < 0.33:
        remarks.append(list(EVERYWHERE))
    english = " ".join(remark[0].replace("-", " ") for remark in remarks)
    chinese = "、".join(remark[1] for remark in remarks)
    return {
        "title_en": f"{site[0].replace('-', ' ')} {thing[0]} {fault[0].replace('-', ' ')} no {number}",
        "title_zh": f"{site[1]}{thing[1]}{fault[1]}之{number}",
        "said_en": f"the {thing[0]} {fault[0].replace('-', ' ')} and {english}.",
        "said_zh": f"{thing[1]}{fault[1]}、{chinese}。",
    }


MODEL_PROSE = {"title_en": "yytitle", "title_zh": "丌标题", "said_en": "yysaid", "said_zh": "丌说明"}
PROSE = {"title_en": "zztitle", "title_zh": "乂标题", "said_en": "zzsaid", "said_zh": "乂问题"}


def scenario_steps(words: Words, state: str) -> Steps:
    """Return the steps of a scenario to ``state``."""
    content = scenario(words)
    owner = actor(words["owner"], Role.DEMAND_OWNER, person=words["person"])
    way: list[tuple[Actor, Act, Part | None]] = [(owner, Act.SCENARIO_REGISTER, content)]
    further = {"review": 1, "open": 2, "closed": 3}.get(state, 0)
    rest = [(owner, Act.SCENARIO_SUBMIT), (DESK, Act.SCENARIO_OPEN), (owner, Act.SCENARIO_CLOSE)]
    way += [(who, act, None) for who, act in rest[:further]]
    return Steps(words, lambda store: _walk(store, str(subject_of(content)), way))


def application_steps(words: Words, state: str) -> Steps:
    """Return the steps of an application to ``state``."""
    content = application(words)
    supplier = actor(words["supplier"], Role.SUPPLIER, person=words["person"])
    way: list[tuple[Actor, Act, Part | None]] = [(supplier, Act.APPLICATION_REGISTER, content)]
    if state == "submitted":
        way.append((supplier, Act.APPLICATION_SUBMIT, None))
    return Steps(words, lambda store: _walk(store, str(subject_of(content)), way))


def demand_steps(words: Words) -> Steps:
    """Return the registration of a demand in words."""
    content = WordedDemand.model_validate(
        {
            "name": words["name"],
            "title": {"en": words["title_en"], "zh": words["title_zh"]},
            "owner": {"organisation": words["owner"]},
            "text": f"{words['said_en']} {words['said_zh']}",
            "fields": [{"path": "sector", "value": words["sector"], "band": "sure"}],
        }
    )
    owner = actor(words["owner"], Role.DEMAND_OWNER, person=words["person"])
    return Steps(words, lambda store: _walk(store, content.subject, [(owner, Act.DEMAND_REGISTER, content)]))


def capability_steps(words: Words) -> Steps:
    """Return the statement of what a supplier can do."""
    content = Capability.model_validate(
        {
            "organisation": words["supplier"],
            "name": words["name"],
            "kind": "provider",
            "title": {"en": words["title_en"], "zh": words["title_zh"]},
            "summary": {"en": words["said_en"], "zh": words["said_zh"]},
            "stated_at": "2026-05-01T12:00:00Z",
        }
    )
    supplier = actor(words["supplier"], Role.SUPPLIER, person=words["person"])

    def state(store: Store) -> None:
        state_capability(store.as_actor(supplier), content)

    return Steps(words, state)


def organisation_steps(name: str, role: Role) -> Steps:
    """Return the registration of an organisation."""
    content = Organisation(name=name, title=f"organisation {name}", roles=(role,))
    return Steps({"name": name}, lambda store: _walk(store, f"organisation:{name}", [(DESK, _REGISTER, content)]))


_REGISTER = Act.ORGANISATION_REGISTER


def commission_steps(words: Words) -> Steps:
    """Return the proposal of a trial over a scenario that is open and an application that is submitted."""
    supplier = actor(words["supplier"], Role.SUPPLIER, person=words["person"])

    def walk(store: Store) -> None:
        content = Commission(
            scenario=f"scenario:{words['owner']}/{words['scenario']}",
            application=f"application:{words['supplier']}/{words['application']}",
            scenario_version=words["scenario_version"],
            application_version=words["application_version"],
            scope="one trial of all criteria.",
            price=Price(amount="12000.00"),
            results="supplier",
            deadline="2027-01-31",
        )
        _walk(store, f"commission:{words['name']}", [(supplier, Act.COMMISSION_PROPOSE, content)])

    return Steps(words, walk)


def mould_of(store: Store, steps: Steps) -> Mould:
    """Return the mould of ``steps``, run in ``store``."""
    return take(store, steps.words, lambda: steps.take(store))


def _walk(store: Store, subject: str, way: list[tuple[Actor, Act, Part | None]]) -> Record:
    for who, act, brings in way:
        record = advance(store.as_actor(who), subject, act, Move(brings))
    return record


def scenario(words: Words) -> Scenario:
    """Return a scenario with ``words``."""
    value = {
        "name": words["name"],
        "title": {"en": words["title_en"], "zh": words["title_zh"]},
        "owner": {"organisation": words["owner"]},
        "sector": words["sector"],
        "action": "industry",
        "problem": {"en": words["said_en"], "zh": words["said_zh"]},
        "intended_use": "the shift is told, and decides.",
        "data": {
            "file": "cases.csv",
            "licence": "CC0-1.0",
            "fields": [
                *({"name": f"reading_{number}", "dataType": "sc:Float"} for number in range(12)),
                {"name": "outcome", "dataType": "sc:Text"},
            ],
            "target": "outcome",
        },
        "task": "classification",
        "positive": "bad",
        "baseline": {"kind": "constant", "value": "good"},
        "criteria": [{"rule": "recall(bad) >= 0.80"}, {"rule": "accuracy >= 0.90"}],
    }
    return Scenario.model_validate(value)


def application(words: Words) -> ApplicationVersion:
    """Return an application version with ``words``."""
    value = {
        "name": words["name"],
        "version": "1.0.0",
        "title": {"en": words["title_en"], "zh": words["title_zh"]},
        "supplier": {"organisation": words["supplier"]},
        "licence": "MIT",
        "model_card": {"summary": {"en": words["said_en"], "zh": words["said_zh"]}},
    }
    return ApplicationVersion(application=Application.model_validate(value), folder=words["folder"])
