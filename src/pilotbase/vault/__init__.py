"""Hidden data: sealed at rest, opened only by the scorer process, its budget of unscored cases counted.

    place.Vault                 view + blobs + keys (+ lease); Vault.of_home(home, store, actor, lease=None)
    hidden                      SealTerms(scenario, owner, alpha, attempts, chunk_rows); HiddenSet, the stored record
    sealing.seal                (vault, frame, terms, visibility=None) -> HiddenSet
    sealing.secrets_of          (vault, hidden_set) -> SetSecrets: .merkle_salt, .derive(label, *parts) -> 32 bytes
    opening.open_hidden         (vault, hidden_set, ReaderGrant(purpose, leave, attempt=None), cases=None)
                                -> Iterator[HiddenFrame(cases, frame)], in ascending case order; logged beforehand
    envelopes                   seal_envelope(vault, owner, context, plain) -> digest
                                open_envelope(vault, owner, context, digest, grant) -> bytes     (raw runs, records)
                                seal_sample(vault, hidden_set, plain) -> digest
                                open_sample(vault, hidden_set, digest, grant) -> bytes   (of a dataset's scenario)
    salts                       create_salt(vault, dataset), find_salt(vault, dataset, commitment)  of closed files
    opening.harden_process      () -> None: no core file, no reading of this process's memory
    attempts                    order_commitment(vault, hidden_set, application, nonce) -> Digest   for the plan
                                open_attempt(vault, hidden_set, AttemptRequest(plan, application, nonce, cases))
                                mark_delivered(vault, attempt)          before the first hidden batch: spends α
                                commit_answers(vault, attempt, digest)  all answers are fixed
                                reveal_order(vault, hidden_set, attempt) -> secret, only after that
                                mark_scored(vault, attempt, cases)      before labels are read, for ever
                                close_attempt / cancel_attempt(vault, attempt)
                                remaining(vault, hidden_set) -> Remaining; attempts_of(vault, hidden_set)
    overlaps                    cases that two sets share: spent or held in one, they are not fresh in the other
    carrying                    past_of(vault, frame, earlier), spend_published(vault, public, earlier)  at sealing
    readers                     readers_of(view, subject, asked, before) -> Readers     the access record, off the log
    canaries                    open_copy(vault, kept, leave, organisation) -> Copy     rows of its own in each copy
                                marks_of(vault, kept); sight(marks, kept, rows, found, to) -> Sighting
    board                       cut_slice(vault, hidden_set, SliceTerms(measure, share), clusters) -> BoardSlice
                                open_submission(vault, board, sealed, application)      counts it; once a version
                                release(vault, submission, losses, entry) -> BoardEntry what the Ladder lets out
                                newest_board(view, owner, scenario) -> Board | None     as an actor may see it

The modules are imported by name; this package re-exports nothing, so that importing one costs no more than it needs.
"""
