"""Content-addressed blobs over fsspec: a folder, S3 (``s3://bucket/folder``), or any address that fsspec opens.

    store       BlobStore(url): .put(bytes | stream) -> digest, one object of its own that .remove(digest) erases;
                .keep(bytes | stream) -> digest, cut by content and shared, removed only when nothing names it any more;
                .get(digest); .chunks(digest); .read_range(digest, start, size); .exists(digest); .digests()
    trees       pack(blobs, members) -> PackedTree: many small files in a few blobs;
                Tree(blobs, packed): .read(path); .members(); .contents()
    folders     pack_folder(blobs, folder) -> PackedTree; unpack(blobs, packed, folder); files_in(folder)
    sweeping    sweep(blobs, referenced, terms) -> Swept: removes what nothing names and is old enough
    checking    check(blobs, share) -> Checked: reads objects and compares each with its name
    below them: cutting (where a stream is cut), manifests (which chunks a blob has), objects (bytes under a name)

Rooms of the address: ``sha256/`` blobs of their own, ``kept/`` shared blobs and chunks, ``cut/`` lists of chunks.
"""

from pilotbase.workspace.blobs.store import BlobStore

__all__ = ["BlobStore"]
