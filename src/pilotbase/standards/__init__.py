"""Standards as code: profiles, how they compose and differ, and how well a trial meets them.

composing    profiles, including those in the package, as one list of requirements; conflicts; what changed in one
matrix       which criteria a plan lacks, and the conformity matrix of a finished trial
ai_labels    labels of generated content in text, image, audio and video files
in_box       file checks that run in a box: labels, keywords in answers, the judgements of two reviewers
"""
