"""Notices: they report to the people concerned, on a page, by mail, and through webhooks of organisations.

making     notices of a step, a due date or a message, and their recipients
rows       notices as rows: stored once, read by recipients who can see the subject
channel    what defines a channel; each is a file in ``channels``
webhooks   addresses of organisations, each with its channel
outbox     messages to webhooks: queued, claimed, retried, visibly given up, replayed
mails      mail settings and progress of each person
"""
