"""Roadmap 路线图: the ledger of a base, its map of actions and supports, the ranking of scenarios, and the plan."""
