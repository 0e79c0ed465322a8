"""Matching 供需对接: need × offer → ranked, explained.

need_of(scenario), offer_of(application, scenario)      what a match compares
match(need, offers, proofs, comparer), match_back       every pair: constraints, contract, words, evidence
CharacterComparer, open_meaning()                       how words are compared, within a language and across
match_scenario(view, need, proofs), match_application   read from the store as the actor sees it, and ranked
pair_all(needs, offers, proofs, comparer)                every pair at once, only its numbers
draft_demand(said, nearest)                             a demand in words as a draft, each value with its ground
gap_map(view, …)                                        demand without supply, supply without demand
assign(view, …)                                         who takes which demand: most valuable, and stable
"""
