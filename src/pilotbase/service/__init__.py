"""Services: certified applications behind the gateway, and what answers when they may not. No web in here.

registry    create_service(view, …), services_of(view), load_service(view, name)
admission   admit_certificate(view, certificate, folders) -> CertifiedRoute: only what was certified, and is here
overrides   admit_endpoint(view, trust, override) -> EndpointRoute: the operator's signed word, for a time
standing    fall_back, ask_human, take_offline, restore: idempotent by their cause
keys        create_key(view, service, terms) -> (ServiceKey, secret); keys_of, revoke_key
budgets     set_budget, spending_of; lease and give_back are the desk's
desk        Desk: admits calls and settles them; one a process
journal     what the desk writes down of every call before it goes out and before its answer goes back
recovery    recover(view, folder): what a killed desk held goes back to its budgets
draining    drain(view, folder, take): journals → metering rows and observations
metering    usage(view, service, …)
"""
