"""Accounts: who may come in, who they act for, what programs may do for them."""
