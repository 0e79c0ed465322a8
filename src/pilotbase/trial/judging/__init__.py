"""A judge model on trial: its scores of all answers, people's labels of a random few, and how far they agree.

judged_cases   the table of cases to judge
asking         asks the judge and commits every word of its replies
scores         turns words into scores, or the reason why there is none
drawing        which cases people label, and their sheets
folder         what is kept, what is frozen, and in which order: the flow
calibrating    reads labels and compares the judge with them
"""
