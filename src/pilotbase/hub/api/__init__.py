"""The REST API under /api/: the pydantic documents as bodies, over the same functions as the pages.

routes          the API with all its routers
authentication  who calls: a token, a session (with its CSRF token), or a visitor
answers         documents with ETags, pages, idempotent posts
declared        the routes of the table of operations, which are all that there are
"""
