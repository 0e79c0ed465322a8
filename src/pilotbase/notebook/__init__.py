"""The base from Python: a frame becomes a scenario, a function an application, a trial a result with its report.

>>> import pilotbase as pb
>>> scenario = pb.Scenario.from_frame(frame, target="state", problem="The pump fails.", contact="waterworks")
>>> def predict(batch):
...     return ["broken" if pressure > 6 else "fine" for pressure in batch["pressure"]]
>>> pb.rehearse(scenario, predict)  # the public sample: full log, no attempt
>>> result = pb.run(scenario, predict)
>>> result.verdict, result.scores, result.replay()
"""

from pilotbase.notebook.results import TrialResult, rehearse, run
from pilotbase.notebook.scenarios import ScenarioFolder as Scenario

__all__ = ["Scenario", "TrialResult", "rehearse", "run"]
