"""Certificates: sign, verify offline, revoke, and the keys behind them.

    trust = create_trust(keys_folder, issuer, now)              root key → signing key; opens what is already there
    write_trust_roots(trust, home / "trust-roots.json")         public: what a verifier must hold
    publish_revocations(trust, view, home / "revocations.json", now)  public: a signed copy of the list in the store

    certificate = issue_certificate(report, plan, issuer=trust.issuer, now=now, expires_at=trust.expiry(now))
    envelope = sign_certificate(certificate, trust)             in-toto statement in a DSSE envelope
    path.write_bytes(envelope.to_bytes())

    verification = verify_certificate(data, read_trust_roots(roots), revocations=None, at=now)
    verification.matches(application_digest)                    False: void for any other version

Invalid raises `InvalidProofError` (exit 3); "unknown" under ``strict`` raises `UnknownProofError` (exit 4).
"""
