"""One Store, one BlobStore and one log of a base: the layer that remembers.

`home` makes and opens a base; `store` is its store, and `View` what an actor sees of it; `transaction` writes, with an
entry in the `log`. Over them lie rows of their own: `listings` and `text_index` (who finds what), `journeys` (what is
counted), `work` and `jobs` (the queue), `threads`, `terms_rows` and `uses`. `blobs` are files; `checks` hold the store
against the log, and the blobs against the store; `backup` writes and restores all of it.

Names of counters and accounts begin with the organisation that may use them (``acme/trials``); the operator uses any.
Import the modules by name; this package re-exports nothing, so that importing one costs no more than it needs.
"""
