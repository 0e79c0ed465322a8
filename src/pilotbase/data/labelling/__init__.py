"""Labels by people: read from files, compared with each other, decided where they differ.

A campaign's way through this room::

    campaign = read_campaign(path)                        # guideline checked against its digest
    gathered = read_labels(campaign, files)               # Label Studio JSON, JSON_MIN, or item,annotator,label
    write_disagreements(campaign, gathered)               # for the adjudicator: no names, labels in random order
    decisions = read_decisions(campaign, gathered, file)
    items = final_labels(campaign, gathered, decisions)   # label, how it came about, who gave what
    quality = label_quality(campaign, gathered, items)    # agreement with intervals, audited accuracy
"""
