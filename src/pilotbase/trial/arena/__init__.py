"""The arena 互动测试: trials in which the application acts, turn by turn, in a world that the base plays.

kept_worlds     worlds as folders: read and checked, and kept under the digest of all their files
shelf           the worlds that a base keeps, and where their boxes get an environment
world_box       a world in a box of its own
fencing         which act is allowed: one pure function, the same in a trial and in service
planted         instructions that somebody has planted in data, by their wording
playing         one episode, from its task to its transcript; the same with recorded acts is its replay
references      players that are no application: idle, random, the oracle, which must win, and transcripts replayed
gates           what a world has to hold before a trial in it says anything, and how its author tries it
stage           what answers a case with a transcript, and stands where a warm worker stands
"""
