"""Applications that their suppliers keep: asked over HTTP, answered as a box answers.

worker     the worker: the life and the answers of one in a box, over calls
asking     one question, with its retries
calls      the record of every call, chained by hashes
operator   what the operator of this machine allows: hosts that are reached, keys that are shown
wires      one small protocol a file: how cases are put, how answers are read
"""
