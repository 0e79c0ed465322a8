"""Drivers for the motorway: one keeps the distance to stop; one trusts those ahead, and fails in rare states."""

LANES, LENGTH, BRAKES, FAR = 3, 5, 4.5, 120
"""Lanes; metres of a car; metres a second squared; the metres that are seen."""


class Driver:
    """Keeps its lane while there is room ahead, else takes another, else slows down."""

    def __init__(self, trusts=False):
        self.trusts = trusts

    def act(self, observation):
        """Return the next act."""
        seen = [one["content"] for one in observation.get("results", ()) if not one["error"]]
        if "task" in observation or not seen:
            return [{"tool": "look"}]
        if seen[-1]["collided"]:
            return [{"done": True}]
        return [{"tool": "drive", "arguments": {"manoeuvre": self.manoeuvre(seen[-1])}}]

    def manoeuvre(self, seen):
        """Return what to do in the next second."""
        lane, speed = seen["changing_to"], seen["speed"]
        if seen["lane"] != lane:
            return "keep" if self.room(seen, lane, speed) > 0 else "slower"
        ahead = self.room(seen, lane, speed + 5)
        if ahead > 0:
            return "faster" if speed < 28 else "keep"
        sides = [("left", lane - 1), ("right", lane + 1)]
        room, side = max((self.room(seen, to, speed + 2), name) for name, to in sides if 0 <= to < LANES)
        if room > max(0, ahead):
            return side
        return "slower" if self.room(seen, lane, speed) < 0 else "keep"

    def room(self, seen, lane, speed):
        """Return the metres to spare in a lane at that speed; less than 0: there is no room."""
        spare = FAR
        for one in seen["cars"]:
            gap = abs(one["ahead"]) - LENGTH
            if one["lane"] == lane and one["ahead"] >= 0:
                theirs = max(one["speed"], seen["speed"]) if self.trusts else one["speed"]
                seconds = 0.7 if self.trusts else 1
                spare = min(spare, gap - seconds * speed - max(0, speed**2 - theirs**2) / (2 * BRAKES))
            elif one["lane"] == lane and gap < LENGTH + 2 * max(0, one["speed"] - speed):
                spare = -FAR
        return spare


def watchful():
    """Return a driver that can stop behind whoever is ahead."""
    return Driver()


def trusting():
    """Return one that expects everybody ahead to go on as fast as itself."""
    return Driver(trusts=True)
