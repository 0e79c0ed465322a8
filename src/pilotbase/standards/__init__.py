"""Standards as code: profiles, how they compose and differ, and how a trial stands to them.

composing    profiles, those that come with the software too, as one list of requirements; a conflict is named
matrix       which criteria a plan lacks, and the conformity matrix of a finished trial
differing    what changed between two versions of a profile, and whom it touches
ai_labels    labels of generated content in text, image, audio and video files
in_box       what a box is asked about files: labels, keywords in answers, what two reviewers said of them
"""
