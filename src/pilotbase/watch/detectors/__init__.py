"""Detectors: what they look at, what they promise, when they take a colour.

=========  =============================  =================================  =================================  ========
signal     blue                           yellow                             orange                             red
=========  =============================  =================================  =================================  ========
risk                                      e-SR reaches A                                                        1/α
contract                                  e-SR reaches A                     1/α                                never
latency                                   e-SR reaches A                     1/α                                never
=========  =============================  =================================  =================================  ========

Only a risk can be red, and only by its promise: drift, silence, latency and breaks of the contract hint at harm, a
certificate's criterion measures it.
"""

from pilotbase.watch.detectors.contract import WHOLE, Change, Detector, restored, written
from pilotbase.watch.detectors.loss import LossDetector, LossState, LossWatch

__all__ = ["WHOLE", "Change", "Detector", "LossDetector", "LossState", "LossWatch", "restored", "written"]
