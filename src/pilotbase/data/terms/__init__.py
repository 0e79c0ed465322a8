"""Terms of use at work: what an offer permits, the gate that every request passes, what was used.

templates   `offer_for(level, ...) -> Offer`            the three levels of opening as offers
evaluating  `decide(terms, request, used, now) -> TermsDecision`   pure; what is not understood denies
            `terms_of_agreement`, `terms_of_paper`      what an agreement, or a frozen plan, permits
            `budgets(view, dataset) -> list[BudgetTold]`     what statistics may spend in total, and have spent
gate        `permit(view, request, key) -> AccessGrant`       counted, logged, or refused with every reason
"""
