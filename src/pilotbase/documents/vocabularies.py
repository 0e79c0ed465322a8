"""Closed lists with names in both languages, which plug-ins may extend; first the policy's terms.

Source: State Council opinions on the "AI+" action (国发〔2025〕11号): six actions and their sub-heads, eight supports;
scenario grains of 国办发〔2025〕37号; five verifications of MIIT (制造业中试平台建设指引 2025);
four warning colours of 突发事件应对法, four event grades of 国家网络安全事件报告管理办法.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from types import new_class
from typing import Any, ClassVar, Literal, TypeVar, cast, get_args

from pilotbase.documents.plugins import mirrored
from pilotbase.documents.texts import Text, text

_Kind = TypeVar("_Kind", bound=StrEnum)


class Vocabulary(StrEnum):
    """A closed list whose values have names in both languages: text ``<domain>.<value>``."""

    domain: ClassVar[str]

    def __init_subclass__(cls, domain: str) -> None:
        cls.domain = domain


def extended(core: type[_Kind]) -> type[_Kind]:
    """Add to a closed list of the core what plug-ins declare in `ADDED` of their ``documents.vocabularies``.

    ``ADDED`` names the list and its new values: ``{"NoticeKind": ("claim",)}``. In the plug-in, ``NoticeKind("claim")``
    is the new member.

    Raises:
        TypeError: a value is declared twice.
    """
    added = (one for plugin in mirrored("documents.vocabularies") for one in plugin.ADDED.get(core.__name__, ()))
    members = [(one.name, one.value) for one in core] + [(value.upper(), value) for value in added]

    def fill(body: Any) -> None:
        body["__module__"], body["__doc__"] = core.__module__, core.__doc__
        for name, value in members:
            body[name] = value

    told = {"domain": core.domain} if issubclass(core, Vocabulary) else {}
    return cast("type[_Kind]", new_class(core.__name__, core.__bases__, told, fill))


Guarantee = Literal["exact_census", "exact_anytime", "exact_fixed", "asymptotic", "measured_run", "descriptive"]


class Action(Vocabulary, domain="action"):
    """Six actions 六大重点行动; names: text ``action.<value>``."""

    SCIENCE_TECHNOLOGY = "science_technology"
    INDUSTRY = "industry"
    CONSUMPTION = "consumption"
    WELLBEING = "wellbeing"
    GOVERNANCE = "governance"
    GLOBAL = "global"


class SubHead(Vocabulary, domain="subhead"):
    """Sub-heads of the six actions; names: text ``subhead.<value>``."""

    SCIENTIFIC_DISCOVERY = "scientific_discovery"
    RESEARCH_MODEL = "research_model"
    SOCIAL_SCIENCE = "social_science"
    NATIVE_BUSINESS = "native_business"
    INDUSTRIAL_INTELLIGENCE = "industrial_intelligence"
    AGRICULTURE = "agriculture"
    SERVICES = "services"
    SERVICE_CONSUMPTION = "service_consumption"
    PRODUCT_CONSUMPTION = "product_consumption"
    WORK = "work"
    LEARNING = "learning"
    LIFE = "life"
    SOCIAL_GOVERNANCE = "social_governance"
    SAFETY_GOVERNANCE = "safety_governance"
    ECOLOGY = "ecology"
    INCLUSIVE_SHARING = "inclusive_sharing"
    GLOBAL_GOVERNANCE = "global_governance"


SUBHEADS: dict[Action, tuple[SubHead, ...]] = {
    Action.SCIENCE_TECHNOLOGY: (SubHead.SCIENTIFIC_DISCOVERY, SubHead.RESEARCH_MODEL, SubHead.SOCIAL_SCIENCE),
    Action.INDUSTRY: (
        SubHead.NATIVE_BUSINESS,
        SubHead.INDUSTRIAL_INTELLIGENCE,
        SubHead.AGRICULTURE,
        SubHead.SERVICES,
    ),
    Action.CONSUMPTION: (SubHead.SERVICE_CONSUMPTION, SubHead.PRODUCT_CONSUMPTION),
    Action.WELLBEING: (SubHead.WORK, SubHead.LEARNING, SubHead.LIFE),
    Action.GOVERNANCE: (SubHead.SOCIAL_GOVERNANCE, SubHead.SAFETY_GOVERNANCE, SubHead.ECOLOGY),
    Action.GLOBAL: (SubHead.INCLUSIVE_SHARING, SubHead.GLOBAL_GOVERNANCE),
}


class Support(Vocabulary, domain="support"):
    """Eight supports 八项基础支撑; names: text ``support.<value>``."""

    MODEL = "model"
    DATA = "data"
    COMPUTE = "compute"
    APPLICATION = "application"
    OPEN_SOURCE = "open_source"
    TALENT = "talent"
    POLICY = "policy"
    SECURITY = "security"


class Sector(Vocabulary, domain="sector"):
    """Sectors of pilot bases; names: text ``sector.<value>``."""

    MANUFACTURING = "manufacturing"
    HEALTHCARE = "healthcare"
    TRANSPORT = "transport"
    FINANCE = "finance"
    ENERGY = "energy"
    CONSUMPTION = "consumption"
    EMBODIED = "embodied"
    HOUSEHOLD = "household"
    GOVERNMENT = "government"
    EDUCATION = "education"
    AGRICULTURE = "agriculture"
    SCIENCE = "science"
    OTHER = "other"


class Grain(Vocabulary, domain="grain"):
    """Three grains of a scenario; names: text ``grain.<value>``."""

    MAJOR = "major"
    INTEGRATED = "integrated"
    SMALL_CUT = "small_cut"


class RiskLevel(StrEnum):
    """Risk of a use, as stated by its owner; names: text ``scenario.risk.<value>``.

    After Regulation (EU) 2024/1689: ``high`` as in Article 6, ``limited`` if Article 50 requires transparency to the
    people concerned. Uses prohibited by its Article 5 are not allowed as scenarios.
    """

    MINIMAL = "minimal"
    LIMITED = "limited"
    HIGH = "high"


class Verification(Vocabulary, domain="verification"):
    """Five verifications 五项验证: the sections of every report; names: text ``verification.<value>``."""

    DESIGN = "design"
    FUNCTION = "function"
    PROCESS = "process"
    ADAPTATION = "adaptation"
    PRODUCTION = "production"


class Outcome(Vocabulary, domain="outcome"):
    """State of a criterion or a section; a missing measure is never a pass. Names: text ``outcome.<value>``."""

    PASS = "pass"  # noqa: S105 - a state, not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    NOT_MEASURED = "not_measured"


class Verdict(Vocabulary, domain="verdict"):
    """Verdict 结论 of a trial; names: text ``verdict.<value>``."""

    ACCEPT = "accept"
    REJECT = "reject"
    INCONCLUSIVE = "inconclusive"


class Estimand(Vocabulary, domain="estimand"):
    """What a score refers to; names: text ``estimand.<value>``."""

    HIDDEN_SET = "hidden_set"
    POPULATION = "population"


class Role(Vocabulary, domain="role"):
    """People of a base; names: text ``role.<value>``."""

    OPERATOR = "operator"
    DEMAND_OWNER = "demand_owner"
    SUPPLIER = "supplier"
    REVIEWER = "reviewer"
    REGULATOR = "regulator"


class Ownership(Vocabulary, domain="ownership"):
    """Who owns an organisation; names: text ``ownership.<value>``."""

    GOVERNMENT = "government"
    STATE_OWNED = "state_owned"
    PRIVATE = "private"
    UNIVERSITY = "university"
    OTHER = "other"


class ApprovalKind(StrEnum):
    """Approvals that a trial usually needs; an owner may require others. Names: text ``hub.approval.<value>``."""

    ETHICS = "ethics"
    DATA = "data"
    FILING = "filing"


class CallEnd(Vocabulary, domain="call"):
    """How a call ended; names: text ``call.<value>``."""

    ANSWERED = "answered"
    FELL_BACK = "fell_back"
    """Answered by an earlier version."""
    HUMAN = "human"
    """Handed over to a person."""
    BROKE_CONTRACT = "broke_contract"
    """The request does not fit the data contract."""
    TIMED_OUT = "timed_out"
    FAILED = "failed"
    CANCELLED = "cancelled"
    """The caller has disconnected."""

    @property
    def is_answer(self) -> bool:
        """Return whether the service has answered, with any version."""
        return self in (CallEnd.ANSWERED, CallEnd.FELL_BACK)


class Scope(Vocabulary, domain="scope"):
    """What a key permits; names: text ``scope.<value>``."""

    INFER = "infer"
    OBSERVE = "observe"
    """Hand in observations and labels."""
    TEST = "test"
    """Call as with ``infer``; the watch, releases and hold-backs leave these calls out."""


class ConsentState(Vocabulary, domain="consent"):
    """What became of a consent; names: text ``consent.<value>``."""

    UNDECIDED = "undecided"
    GRANTED = "granted"
    DECLINED = "declined"


class ServingState(Vocabulary, domain="serving"):
    """Standing of a service; names: text ``serving.<value>``."""

    SERVING = "serving"
    FALLEN_BACK = "fallen_back"
    """An earlier certified version answers."""
    HUMAN = "human"
    """Every call is handed over to a person."""
    STOPPED = "stopped"


class ReleaseState(Vocabulary, domain="release"):
    """How a release of a new version stands; names: text ``release.<value>``."""

    RUNNING = "running"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"
    ENDED = "ended"
    """Undecided in its time: the old version stays."""


class Colour(Vocabulary, domain="colour"):
    """Colour of a risk warning 预警颜色, lowest first; names: text ``colour.<value>``. Green: no warning."""

    GREEN = "green"
    BLUE = "blue"
    YELLOW = "yellow"
    ORANGE = "orange"
    RED = "red"


class EventGrade(Vocabulary, domain="grade"):
    """Grade of an event 事件等级, lowest first; names: text ``grade.<value>``."""

    GENERAL = "general"
    LARGER = "larger"
    MAJOR = "major"
    EXTREME = "extreme"


class ResponseLevel(Vocabulary, domain="response"):
    """Level of response 响应级别, lowest first; names: text ``response.<value>``."""

    IV = "IV"
    III = "III"
    II = "II"
    I = "I"  # noqa: E741 - the level's own name


class Signal(Vocabulary, domain="signal"):
    """What a detector observes; names: text ``signal.<value>``."""

    RISK = "risk"
    DRIFT = "drift"
    CONTRACT = "contract"
    LATENCY = "latency"
    SILENCE = "silence"
    LABELS = "labels"
    """Labels of drawn cases that do not come."""
    AVAILABILITY = "availability"
    """Calls that are not answered in time."""
    ERRORS = "errors"
    """Calls that failed in the service."""
    HAND_OVER = "hand_over"
    """Calls handed over to a person."""


class RedBy(Vocabulary, domain="red_by"):
    """What counts as one piece of evidence for red; names: text ``red_by.<value>``."""

    PERIOD = "period"
    """The mean over a cohort's span, within which cases may depend on each other in any way."""
    UNIT = "unit"
    """The mean over the cases of one unit (patient, machine) in a span: different units are independent."""
    CASE = "case"
    """One case: all cases are independent."""


class Countermeasure(Vocabulary, domain="countermeasure"):
    """What is done about a warning 处置; names: text ``countermeasure.<value>``."""

    NOTIFY = "notify"
    FALL_BACK = "fall_back"
    ASK_HUMAN = "ask_human"
    TAKE_OFFLINE = "take_offline"


class Constraint(Vocabulary, domain="constraint"):
    """Hard constraints 硬约束, each of which alone refuses a match; names: text ``constraint.<value>``."""

    DATA = "data"
    """May data leave where the application is used?"""
    LICENCE = "licence"
    ENVIRONMENT = "environment"
    """Memory and threads."""
    LANGUAGE = "language"
    ISOLATION = "isolation"
    REGION = "region"
    ANSWER = "answer"
    """A class, or a number."""


class Fit(Vocabulary, domain="fit"):
    """How one side of a match meets the other's requirement; names: text ``fit.<value>``."""

    FITS = "fits"
    MISSING = "missing"
    """One side does not say: unknown, not refused."""
    REFUSED = "refused"


class Opening(Vocabulary, domain="opening"):
    """How far a dataset is opened 开放等级; names: text ``opening.<value>``."""

    OPEN = "open"
    """Anyone may download it."""
    ON_TERMS = "on_terms"
    """Anyone who agrees to its terms may download it."""
    COMPUTE_TO_DATA = "compute_to_data"
    """Nobody may download it: only results computed on it are released, within limits."""


class Sensitivity(Vocabulary, domain="sensitivity"):
    """What a field may reveal about a person; names: text ``sensitivity.<value>``."""

    NONE = "none"
    QUASI_IDENTIFIER = "quasi_identifier"
    """Not alone, but together with others: age, place, day."""
    IDENTIFIER = "identifier"
    SENSITIVE = "sensitive"


@extended
class WorkKind(Vocabulary, domain="job.kind"):
    """Kinds of jobs of the queue; names: text ``job.kind.<value>``."""

    KIT = "kit"
    REHEARSE = "rehearse"
    BOARD = "board"
    TENDER = "tender"
    FREEZE = "freeze"
    TRIAL = "trial"
    CONSENT_REFUSED = "consent_refused"
    CERTIFICATE = "certificate"
    REVOCATION = "revocation"
    SUSPENSION = "suspension"
    REINSTATEMENT = "reinstatement"
    BUNDLE = "bundle"
    DESCRIBE = "describe"
    QUALITY = "quality"
    FIRST_ROWS = "first_rows"
    STATISTICS = "statistics"
    LABEL_ITEMS = "label_items"
    LABEL_CLOSE = "label_close"
    LABEL_IMPORT = "label_import"
    SITE_PACK = "site_pack"
    SITE_REPORT = "site_report"
    WORLD = "world"


class ReadingKind(Vocabulary, domain="reader.kind"):
    """Kind of a line in the access record; names: text ``reader.kind.<value>``."""

    OPENED = "opened"
    """Sealed bytes were opened."""
    USED = "used"
    """The gate has admitted a use and counted it."""
    REFUSED = "refused"
    """The gate has refused a use."""


class StandardStatus(Vocabulary, domain="standard.status"):
    """How well a standard or one of its requirements is verified; names: text ``standard.status.<value>``."""

    PUBLISHED = "published"
    DRAFT = "draft"
    REMEMBERED = "remembered"
    """Not read by the author of the profile: unverified, and off until a scenario turns it on."""


class Conformity(Vocabulary, domain="standard.outcome"):
    """Result of a trial for a requirement; names: text ``standard.outcome.<value>``. None claims *conformant*."""

    MET = "met"
    NOT_MET = "not_met"
    UNDECIDED = "undecided"
    NOT_MEASURED = "not_measured"
    EVIDENCE_LACKING = "evidence_lacking"


VOCABULARIES: dict[str, type[Vocabulary]] = {kind.domain: kind for kind in Vocabulary.__subclasses__()}
"""Text domain → vocabulary, also those of plug-ins."""


def weakest(guarantees: Sequence[Guarantee]) -> Guarantee:
    """Return the weakest kind: a certificate's guarantee is that of its weakest criterion."""
    return max(guarantees, key=get_args(Guarantee).index)


def is_approximate(guarantees: Iterable[str | None]) -> bool:
    """Return whether a verdict depends on an approximate bound."""
    return "asymptotic" in guarantees


def verdict_in_words(verdict: str, approximate: bool = False) -> Text:
    """Return a verdict's name, always with a rider if one of its bounds is approximate."""
    name = Text(code=f"verdict.{verdict}")
    return text("verdict.approximate", verdict=name) if approximate else name
