"""Content-addressed blobs over fsspec: a folder, S3 (``s3://bucket/folder``), or any address that fsspec opens.

`BlobStore` keeps them in three rooms of the address: ``sha256/`` blobs of their own, which can be erased, ``kept/``
shared blobs and chunks, ``cut/`` lists of chunks. Below it are `objects`: bytes under a name.
"""

from pilotbase.workspace.blobs.store import BlobStore

__all__ = ["BlobStore"]
