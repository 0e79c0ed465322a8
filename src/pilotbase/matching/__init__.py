"""Matching 供需对接: need × offer → ranked, explained.

need_of(scenario), offer_of(application, scenario)      what a match compares
judge(needs, offers, proofs)                            every pair: constraints, contract, words, evidence
match_scenario(view, need, sources), match_application  read from the store as the actor sees it, and ranked
gap_map(view, …)                                        demand without supply, supply without demand
"""
