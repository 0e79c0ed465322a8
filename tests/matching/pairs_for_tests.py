"""Scenarios and applications as short as can be."""

from pilotbase.documents.application import Application
from pilotbase.documents.limits import IsolationLevel
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.vocabularies import Verdict
from pilotbase.matching.pairs import ApplicationOffer, Need, ProvenPair, need_of, offer_of

FIELDS = (("torque", "sc:Float", "Nm"), ("speed", "sc:Integer", "rpm"), ("failure", "sc:Text", None))


def scenario(name="milling", fields=FIELDS, owner="plant", **changes) -> Scenario:
    value = {
        "name": name,
        "title": {"en": "Machine failure", "zh": "设备故障预警"},
        "owner": {"organisation": owner},
        "sector": "manufacturing",
        "action": "industry",
        "problem": {"en": "The mill breaks.", "zh": "铣床主轴失效。"},
        "data": {"file": "c.csv", "fields": [_field(*one) for one in fields], "target": fields[-1][0]},
        "task": "classification",
        "positive": "broken",
    }
    return Scenario.model_validate({**value, **changes})


def application(name="forest", supplier="acme", **changes) -> Application:
    value = {
        "name": name,
        "version": "1.0.0",
        "title": {"en": "Random forest", "zh": "随机森林"},
        "supplier": {"organisation": supplier},
        "licence": "MIT",
        "model_card": {"summary": {"en": "Watches spindles.", "zh": "主轴监测。"}},
    }
    return Application.model_validate({**value, **changes})


def need(**changes) -> Need:
    return need_of(scenario(**changes))


def offer(made_for=None, **changes) -> ApplicationOffer:
    return offer_of(application(**changes), made_for)


def proven(application="application:acme/forest", verdict="accept", tried=None, serial="1", level="L2") -> ProvenPair:
    tried = tried or need()
    return ProvenPair(
        serial=f"sha256:{serial * 64}",
        application=application,
        scenario=tried.subject,
        scenario_version=f"version of {tried.subject}",
        verdict=Verdict(verdict),
        isolation=IsolationLevel(level),
        name="forest",
        supplier="acme",
        need=tried,
    )


def _field(name, kind, unit):
    return {"name": name, "dataType": kind, **({"unit": unit} if unit else {})}
