"""Recorded exchanges: messages of the field with faults, a person's decisions among them, and an order to stop.

recorded    the messages of an exchange as the scenario's owner recorded them, and whether they read whole
faults      which message is sent when, and with which fault: pure, from one seed
pipeline    what goes out for a message: an answer, the same answer again, a person's decision, or a refusal
stopping    an order to stop while the application is being asked
replaying   one exchange of one application, in boxes
"""
