"""The hub: pages and API of a base over the same functions that the command line calls; accounts.

    configuration  Configuration.from_environment(environment): every setting, typed, with all problems at once
    settings       what Django reads of it
    acting         who asks: person, organisation, roles, and the store as that actor sees it
    people         accounts: invitations, memberships, API tokens, sessions
    presenters     what pages and API show alike
    forms          what people fill in, and the files that come with it
    pages          the pages, one file a stage
    api            the REST API under /api/, its schema at /api/openapi.json
    serving        the hub prepared, checked, started, measured

Django keeps accounts, sessions and tokens. Every document lives in the workspace store and is reached as an actor.
"""
