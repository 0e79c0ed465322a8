"""Services: certified applications behind the gateway, and what answers when they may not. No web in here.

creating    create_service(view, premises, wanted), admit_endpoint(view, trust, wanted), set_terms(view, name, terms);
            admit_certificate(view, premises, …) -> CertifiedRoute: only what was certified, and is here unchanged
registry    load_service, services_of, services_behind; who may do what
standing    fall_back, ask_human, take_offline, restore: idempotent by their cause; standing_of, history_of
terms       create_key, revoke_key, list_keys; set_budget, list_budgets; usage_by_day: as an actor may
            what services have used, hour by hour
keys, budgets: the rows behind them

desk        CallDispatcher: admits calls and settles them; one a process
known       what the desk knows of keys and services, never older than the store
journal     what the desk writes down of every call before it goes out and before its answer goes back;
            recover(view, folder): what a killed desk held goes back to its budgets
dialogue_logs: what was said in dialogues with agents, from which another process goes on
draining    drain(view, folder, take): journals → metering rows and observations
"""
