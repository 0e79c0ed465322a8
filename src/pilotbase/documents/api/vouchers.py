"""Vouchers over the API: what an organisation has, what moved, what it claimed. Money is in hundredths."""

from __future__ import annotations

from datetime import datetime

from pilotbase.documents.api.shapes import Told


class VoucherTold(Told):
    """What one voucher has."""

    identity: str
    programme: str
    state: str
    amount: int
    free: int
    held: int
    used: int
    """Paid for use, and not claimed yet."""
    currency: str
    pays: bool
    """Whether it takes new holds now."""
    expires_at: datetime


class HoldTold(Told):
    """What a voucher has on hold for one attempt of a job."""

    job: str
    attempt: int
    voucher: str
    supplier: str
    held: int
    currency: str
    lapses_at: datetime


class MovementTold(Told):
    """One movement of money."""

    step: str
    voucher: str
    job: str
    attempt: int
    amount: int
    currency: str
    at: datetime


class YearTold(Told):
    """How far an organisation is from the year's cap of a programme."""

    programme: str
    currency: str
    year: int
    cap: int
    taken: int
    """Held or paid this year."""
    left: int
    granted: int
    """Claims that are granted and not paid out."""
    paid: int


class ClaimTold(Told):
    """A claim, and every rule that it did not meet."""

    identity: str
    job: str
    attempt: int
    programme: str
    claimant: str
    side: str
    state: str
    amount: int
    currency: str
    failed: list[str]
    claimed_at: datetime


class WalletTold(Told):
    """All that an organisation has of vouchers."""

    organisation: str
    balance: dict[str, int]
    """Currency → what is free in vouchers that pay."""
    vouchers: list[VoucherTold]
    holds: list[HoldTold]
    movements: list[MovementTold]
    """The newest ones, newest first."""
    years: list[YearTold]
    claims: list[ClaimTold]
    """Newest first."""


class WalletListed(Told):
    """An organisation that has vouchers, or has claimed."""

    organisation: str
    vouchers: int
    balance: dict[str, int]
