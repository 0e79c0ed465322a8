"""Vouchers: they pay, quotas cap, fair share orders. Rules are documents; money is whole hundredths in double entry.

ledger      issue, revoke, expire_due; hold, release, refund: within the transaction in which a job's state changes
settling    settle(here, change, UsageSheet) -> Settlement: metered use → cost, what the voucher pays, what goes back
claiming    claim(here, change, VoucherClaim, Ties) -> ClaimDecision: every rule at once; decide (a person), pay
            let_pay, settle_calls: calls of a service, an hour at a time
wallet      set_rules, set_prices (operator); programmes, rules_of, prices_of; the movements of their money
            wallet(view, organisation) -> Wallet: balances, holds, movements, what is left of the year's cap
            reconciled(view): what was metered beside what was settled and posted
exporting, auditing: export_programme(view, programme, folder); audit(folder) -> Audit, offline

rules: pure: prices, ties of ownership, what must be met; rows: how all of it is found
"""
