"""Services that come into being or change what they admit, which looks at applications; what they save."""

from __future__ import annotations

from pilotbase.operations import services as declared
from pilotbase.service import creating, hold_back, releases
from pilotbase.service.admission import Premises
from pilotbase.worker.operations.binding import Caller, does
from pilotbase.worker.operations.services import show

does(declared.CREATE)(
    lambda caller, asked: show(caller, creating.create_service(caller.view, _premises(caller), asked).name)
)
does(declared.OVERRIDE)(
    lambda caller, asked: show(caller, creating.admit_endpoint(caller.view, caller.base.trust, asked).name)
)
does(declared.RELEASE)(
    lambda caller, asked: show(caller, releases.release_version(caller.view, _premises(caller), asked).name)
)
does(declared.END_RELEASE)(lambda caller, asked: show(caller, releases.end_release(caller.view, asked).name))
does(declared.RELEASES)(lambda caller, asked: releases.releases_of(caller.view, asked.service))
does(declared.HOLD_BACK)(lambda caller, asked: hold_back.begin_hold_back(caller.view, asked.service, asked.sent))
does(declared.END_HOLD_BACK)(lambda caller, asked: hold_back.end_hold_back(caller.view, asked.service))
does(declared.OUTCOMES)(lambda caller, asked: hold_back.report_outcomes(caller.view, asked.service, asked.outcomes))
does(declared.VALUE)(lambda caller, asked: hold_back.tell_value(caller.view, asked.service))
does(declared.SET_TERMS)(
    lambda caller, asked: show(caller, creating.set_terms(caller.view, asked.service, asked.sent).name)
)


def _premises(caller: Caller) -> Premises:
    return Premises.of_home(caller.base.home.path, caller.base.trust.roots())
