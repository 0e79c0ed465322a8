"""Applications that their suppliers keep: called over HTTP, with the same answers as from a box.

worker     the worker: life cycle and answers as in a box, over calls
asking     one question, with its retries
calls      the record of every call, chained by hashes
operator   what the operator of this machine allows: hosts that may be reached, keys that may be sent
wires      one small protocol for each file: how cases are put, how answers are read
"""
