"""Detectors: what they look at and when they take a colour.

========  ==================  ===================  ==================  ==================  ==========================
signal    blue                yellow               orange              red                 back to green
========  ==================  ===================  ==================  ==================  ==========================
risk                          e-SR reaches A                           e-process: 1/α      yellow: 1,000 losses calm
contract                      e-SR reaches A       e-process: 1/α      never               yellow: 1,000 losses calm
latency                       e-SR reaches A       e-process: 1/α      never               yellow: 1,000 losses calm
drift     e-SR of a column,   … and a score moved  … and a score       never               10 chunks calm
          any size            by 0.15              moved by 0.33
silence                       longer than allowed  four times as long  never               something is heard
level                         an outage (of         an outage; a        a promise of        calls are answered again
                              hand-overs)           promise is broken   availability is
                                                                        broken
========  ==================  ===================  ==================  ==================  ==========================

*level*: availability, errors and hand-over, by calls. Only a risk can be red, and the availability that was promised,
and both only by their promise: the others hint at harm. What an e-process has brought stays until the watch is armed
anew: its promise is about *ever*, or about a year of days.
"""
