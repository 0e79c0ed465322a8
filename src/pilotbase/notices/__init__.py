"""Notices: what happened told to whom it concerns, on a page, by mail, to the webhooks of organisations.

making     what a step, a due date, a message gives to tell, and whom it concerns
rows       notices as rows: kept once, read by those whom they are for and who see what they are about
due_dates  work that comes due
channel    what a way out of the base is; each stands in a file of ``channels``
webhooks   where an organisation is told, by which channel
outbox     messages to webhooks: queued, claimed, tried again, given up visibly, replayed
mails      how a person wants to be told by mail, and how far that has come
"""
