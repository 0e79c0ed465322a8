"""Site trials: what a base sends to a site, what the site runs and signs, and how the base examines it.

    site    offering.offer_scenarios      its keys, what it has sealed, what may leave  ──▶ enrolment
    base    enrolling.enrol_site          the operator compares the key with what the owner says
    base    packing.pack_for_site         application, wheels, software, nonce, expiry  ──▶ pack
    site    running.run_pack              checked, rehearsed, frozen, run, released     ──▶ site report
    base    taking_back.take_back         examined at once, stored, certified

Only these three files go between the two machines. For the reasons see docs/decisions/0019-site-trials.md.
"""
