"""Vouchers: they pay, quotas cap, fair share orders. Rules are documents; money is whole hundredths in double entry.

programmes  set_rules, set_prices (operator); rules_of, prices_of
ledger      issue, revoke, expire_due; hold, release, refund: within the transaction in which a job's state changes
settling    settle(here, change, Finished) -> Settlement: metered use → cost, what the voucher pays, what goes back
claiming    claim(here, change, VoucherClaim, Facts) -> ClaimDecision: every rule at once; pay
wallet      wallet(view, organisation) -> Wallet: balances, holds, movements, what is left of the year's cap

pricing, metering, relations, rules: pure; moving, rows: postings, their numbers, their lines of the log
"""
