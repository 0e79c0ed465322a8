"""Replication kits, and how each site fared."""

from __future__ import annotations

from pilotbase.documents.subjects import application_subject
from pilotbase.operations import replication as declared
from pilotbase.worker import replication
from pilotbase.worker.operations.binding import does

does(declared.LIST)(lambda caller, asked: replication.replications(caller.base, caller.view))
does(declared.SHOW)(
    lambda caller, asked: replication.replication_of(
        caller.base, caller.view, application_subject(asked.owner, asked.name)
    )
)
does(declared.STATE)(
    lambda caller, asked: replication.state_kit(
        caller.base, caller.view, application_subject(asked.owner, asked.name), asked.sent.parts
    )
)
does(declared.AGREE)(
    lambda caller, asked: replication.agree_to_kit(
        caller.base, caller.view, application_subject(asked.owner, asked.name)
    )
)
does(declared.ADMIT)(
    lambda caller, asked: replication.admit_kit(caller.base, caller.view, application_subject(asked.owner, asked.name))
)
