"""The arena 互动测试: trials in which the application acts, turn by turn, in a world that the base plays.

fencing      which act is allowed: one pure function, the same in a trial and in service
playing      one episode, from its task to its transcript; the same with recorded acts is its replay
references   players that are no application: idle, random, oracle
world_box    a world in a box of its own
stage        what answers a case with a transcript, and stands where a warm worker stands
drawing      the table of episodes, hidden and public
"""
