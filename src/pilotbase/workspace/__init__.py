"""One Store, one BlobStore and one log of a base: the layer that remembers.

    home        home_path(environment) -> Path; init_home(path, settings=None) -> Home; open_home(path) -> Home
                upgrade_home(home) -> None
                Home: .path .keys .scratch .trust_roots .open_store(clock) .open_blobs()
    keys        KeyFolder(path): .log_key() .create_owner_key(org) .owner_key(org) .create(name, make) .read(name)
                write_private(path, data, replace=True): whole, durable, mode 0600
    actors      Actor(organisation, roles), actor("plant", Role.DEMAND_OWNER); Visibility: PUBLIC, BASE, parties("acme")
    store       Store.open(url, LogKey, clock); Store.as_actor(actor) -> View; Store.log_copy() -> LogCopy
                View: .get(digest) -> Stored | None; .load(digest, Model) -> Model; .head(name) -> digest | None;
                      many at once: .get_all(digests), .named(names) -> {…: Stored};
                      .find(kind, fields, limit); .search(words, kind, limit); .changes(since, limit);
                      .counter(name); .balance(account); .acquire(name, holder, seconds) -> Lease | None;
                      .renew(lease); .release(lease); .log_entries(start, limit); .log_payload(number);
                      .erase_payload(number); .checkpoint(); .prove(number);
                      .put(document, visibility, action, owner=None) -> digest
                      with .transaction("scenario.published") as change:
    transaction change.put(document, visibility, owner=None, fields=None, if_absent=False) -> digest;
                change.set_head(name, digest, expected=...); change.change_visibility(digest, visibility);
                change.add(counter, amount, at_most=None) -> value; change.post(transfer, amounts, at_least=None);
                change.require_lease(lease); change.record(action, subjects, facts, payload); change.connection, .now
    listings    put_listing(change, listing, waiting); list_page(view, Query(...)), count, count_by, find_listing
                below it: audience (who sees which), listing_rows (what is written), text_index (where words stand)
    blobs       BlobStore(url): .put(bytes | stream) -> digest, which .remove(digest) erases; .keep(…) -> digest,
                cut and shared; .get(digest); .chunks(digest); .read_range(digest, start, size)
    merkle      merkle_root(leaves); inclusion_proof(leaves, index);
                verify_inclusion(leaf, index, size, proof, root); verify_consistency(sizes, roots, proof); MerkleTree
    log_check   verify_log(LogCopy, LogVerifier, witnesses=()) -> VerifiedLog; LogCopy.read(folder) / .write(folder)
    proofs      proven_head(store, name, action) -> digest | None: the digest of a name, confirmed by the signed log
                require_stored(store, digest, kind, action): a signed entry says that the document was stored
    reconciliation verify_store(store, witnesses=()) -> VerifiedLog: the log holds, and the tables agree with it
    notes       LogKey(private).verifier -> LogVerifier (str() is its C2SP vkey; .open(note) -> Checkpoint)
    failures    NotFoundError, ConflictError, StaleLeaseError, BusyError

Names of counters and accounts begin with the organisation that may use them (``acme/trials``); the operator uses any.
Import the modules by name; this package re-exports nothing, so that importing one costs no more than it needs.
"""
