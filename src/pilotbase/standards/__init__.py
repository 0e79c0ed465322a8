"""Standards as code: profiles, how they compose and differ, and how a trial stands to them.

packaged     the profiles that come with the software
composing    several profiles as one list of requirements; a conflict is named
coverage     which criteria a plan lacks
matrix       the conformity matrix of a finished trial
differing    what changed between two versions of a profile, and whom it touches
ai_labels    labels of generated content in text, image, audio and video files
in_box       what a box is asked about files
answer_checks  keywords in answers, and what two reviewers said of them
"""
