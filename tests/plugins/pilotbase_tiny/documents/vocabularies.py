"""A kind of notice, and no vocabulary of its own."""

ADDED = {"NoticeKind": ("greeted",)}
