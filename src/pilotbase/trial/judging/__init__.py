"""A judge model on trial: its scores of all answers, people's labels of a few that are drawn, and how far they agree.

judged_cases   the table of what is judged
asking         the judge is asked, and every word of it committed
scores         words made scores, or the reason why there is none
drawing        which cases people label, and their sheets
folder         what is kept, frozen and in which order: the flow
calibrating    labels read, the judge held against them
"""
