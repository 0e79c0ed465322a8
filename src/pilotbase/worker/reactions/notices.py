"""What the watch and the reactions to it tell, and whom: owner, operator, and of an incident the regulator."""

from __future__ import annotations

from pilotbase.catalogue.records import both_languages
from pilotbase.documents.base import Localized
from pilotbase.documents.notice import Address, NoticeBody, NoticeKind
from pilotbase.documents.service import Service
from pilotbase.documents.subjects import incident_subject, service_subject
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Role
from pilotbase.documents.watch import Incident
from pilotbase.notices.making import NoticeDraft


def about_service(service: Service, said: Text, happening: str) -> list[NoticeDraft]:
    """Return the notices about a service."""
    told = [Address(organisation=service.organisation), Address(role=Role.OPERATOR)]
    return [_draft(service_subject(service.name), address, service, said, happening) for address in told]


def about_incident(incident: Incident, service: Service, said: Text, happening: str) -> list[NoticeDraft]:
    """Return the notices about an incident of ``service``."""
    told = [Address(organisation=service.organisation), Address(role=Role.OPERATOR), Address(role=Role.REGULATOR)]
    return [_draft(incident_subject(incident.number), address, service, said, happening) for address in told]


def about_drill(incident: Incident, service: Service, said: Text, happening: str) -> list[NoticeDraft]:
    """Return the notices about a drill, which lead to what it wrote down; no regulator is told of it."""
    told = [Address(organisation=service.organisation), Address(role=Role.OPERATOR)]
    return [_draft(incident_subject(incident.number), address, service, said, happening) for address in told]


def about_base(said: Text, happening: str) -> list[NoticeDraft]:
    """Return the notice to the operator about the base's own work."""
    name = text("reaction.name")
    body = NoticeBody(title=Localized(en=name.render("en"), zh=name.render("zh")), said=said)
    return [NoticeDraft(NoticeKind.WATCH, "", Address(role=Role.OPERATOR), body, happening)]


def _draft(subject: str, address: Address, service: Service, said: Text, happening: str) -> NoticeDraft:
    return NoticeDraft(
        NoticeKind.WATCH, subject, address, NoticeBody(title=both_languages(service.title), said=said), happening
    )
