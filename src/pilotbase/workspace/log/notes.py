"""Signed checkpoints of the log, in the text form of C2SP ``tlog-checkpoint`` and ``signed-note`` (Ed25519).

    pilotbase/9f2c…                      origin: which log
    42                                   size
    rC3…=                                root, base64

    — pilotbase/9f2c… Kq8…=              key name, then base64 of (4-byte key id ‖ signature)

Any C2SP witness or verifier reads them; `LogKey.verifier` prints the key in that form (``vkey``).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from pilotbase.documents.errors import InputError, InvalidProofError

_ED25519 = b"\x01"


@dataclass(frozen=True)
class Checkpoint:
    """The state of a log at ``size`` entries: the 32-byte Merkle ``root`` and the signed ``note`` that states it."""

    origin: str
    size: int
    root: bytes
    note: str


@dataclass(frozen=True)
class LogVerifier:
    """The public half: the log's name and its raw Ed25519 key (32 bytes)."""

    origin: str
    key: bytes

    @classmethod
    def from_text(cls, line: str) -> LogVerifier:
        """Return the verifier that ``name+hex key id+base64 key`` spells; raises `InputError`."""
        try:
            origin, key_id, encoded = line.strip().split("+", 2)
            raw = base64.b64decode(encoded, validate=True)
        except (ValueError, binascii.Error) as error:
            raise InputError("log.bad_verifier", found=line[:200]) from error
        verifier = cls(origin, raw[1:])
        if raw[:1] != _ED25519 or len(raw) != 33 or key_id != verifier.key_id.hex():
            raise InputError("log.bad_verifier", found=line[:200])
        return verifier

    def __str__(self) -> str:
        return f"{self.origin}+{self.key_id.hex()}+{base64.b64encode(_ED25519 + self.key).decode()}"

    @property
    def key_id(self) -> bytes:
        """First four bytes of SHA-256(name ‖ newline ‖ 0x01 ‖ key) (C2SP signed-note)."""
        return hashlib.sha256(self.origin.encode() + b"\n" + _ED25519 + self.key).digest()[:4]

    def open(self, note: str) -> Checkpoint:
        """Return the checkpoint that ``note`` states; raises `InvalidProofError` unless this key has signed it."""
        body, separator, signatures = note.partition("\n\n")
        lines = body.split("\n")
        if not separator or len(lines) < 3 or lines[0] != self.origin:
            raise InvalidProofError("log.checkpoint_malformed", origin=self.origin)
        self._require_signature(body + "\n", signatures)
        try:
            size, root = int(lines[1]), base64.b64decode(lines[2], validate=True)
        except (ValueError, binascii.Error) as error:
            raise InvalidProofError("log.checkpoint_malformed", origin=self.origin) from error
        return Checkpoint(self.origin, size, root, note)

    def _require_signature(self, signed: str, signatures: str) -> None:
        public = Ed25519PublicKey.from_public_bytes(self.key)
        for line in signatures.splitlines():
            name, _, encoded = line.removeprefix("— ").rpartition(" ")
            try:
                raw = base64.b64decode(encoded, validate=True)
                if name == self.origin and raw[:4] == self.key_id:
                    public.verify(raw[4:], signed.encode())
                    return
            except (InvalidSignature, binascii.Error):
                continue
        raise InvalidProofError("log.checkpoint_signature", origin=self.origin)


@dataclass(frozen=True)
class LogKey:
    """The private half: signs checkpoints of one log."""

    private: Ed25519PrivateKey

    @property
    def verifier(self) -> LogVerifier:
        raw = self.private.public_key().public_bytes_raw()
        return LogVerifier(f"pilotbase/{hashlib.sha256(raw).hexdigest()[:16]}", raw)

    def sign(self, size: int, root: bytes) -> Checkpoint:
        """Return the signed checkpoint that the log has ``size`` entries under ``root``."""
        verifier = self.verifier
        body = f"{verifier.origin}\n{size}\n{base64.b64encode(root).decode()}\n"
        signature = base64.b64encode(verifier.key_id + self.private.sign(body.encode())).decode()
        return Checkpoint(verifier.origin, size, root, f"{body}\n— {verifier.origin} {signature}\n")
