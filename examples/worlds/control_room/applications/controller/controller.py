"""Controllers for the waterworks: one watches the alarms; one trusts the plant, and fails in rare states."""

import re

FULL, HEIGHT, RAW = 400, 4000, 2800
"""Litres a minute through an open valve from a full tank; height of a tank and the aim for the raw tank, in mm."""
FAULTS = ("leak", "transfer_stuck")


class Controller:
    """Holds the clean tank in the middle of its band by what leaves it.

    ``watches``: also by the alarms; ``minutes``: it looks that often.
    """

    def __init__(self, watches=True, minutes=1):
        self.watches, self.minutes = watches, minutes
        self.band, self.levels, self.reported = None, {"raw": RAW, "clean": None}, set()

    def act(self, observation):
        """Return the next acts."""
        panel = None
        for result in observation.get("results", ()):
            if isinstance(result["content"], dict) and "levels" in result["content"]:
                panel = result["content"]
            elif result["tool"] == "read_shift_log" and not result["error"]:
                self.band = band_in(result["content"])
                if self.band is None:
                    return [{"say": "Which band should the level be in? 液位范围是多少？"}]
        self.band = self.band or band_in(observation.get("user") or "")
        if self.band is None:
            return [{"tool": "read_shift_log", "arguments": {}}]
        if panel is None:
            return [{"tool": "read_panel", "arguments": {}}]
        if panel["minute"] >= 60:
            return [{"done": True}]
        return [*self.reports(panel), {"tool": "run", "arguments": {"minutes": self.minutes, **self.openings(panel)}}]

    def reports(self, panel):
        """Return reports of the faults that have not been reported yet."""
        new = [name for name in panel["alarms"] if name in FAULTS and name not in self.reported] if self.watches else []
        self.reported.update(new)
        return [{"tool": "report", "arguments": {"fault": fault}} for fault in new]

    def openings(self, panel):
        """Return the openings for the next minute."""
        self.levels |= {name: level for name, level in panel["levels"].items() if level is not None}
        raw, clean = self.levels["raw"], self.levels["clean"] or sum(self.band) // 2
        needed = panel["flows"]["demand"] + (sum(self.band) // 2 - clean) // 3
        most = max(1, FULL * raw // HEIGHT)
        stuck = self.watches and "transfer_stuck" in panel["alarms"]
        given = most * panel["openings"]["transfer"] // 100 if stuck else 0
        opening, drain = percent(needed - given, most), percent(given - needed, max(1, FULL * clean // HEIGHT))
        supply = 6 * FULL // 10 if self.watches and "supply_low" in panel["alarms"] else FULL
        feed = percent(needed + (RAW - raw) // 5, supply)
        transfer = {"bypass": opening} if stuck else {"transfer": opening, "bypass": 0}
        return {"feed": feed, "drain": drain, **transfer}


def band_in(words):
    """Return the band that is named in these words; None if none is."""
    found = re.search(r"(\d{3,4})\D{1,4}(\d{3,4})", words)
    return (int(found[1]), int(found[2])) if found else None


def percent(part, whole):
    """Return a share as an opening."""
    return min(100, max(0, (100 * part + whole // 2) // whole))


def watchful():
    """Return a controller that reports faults, and takes the bypass when the valve is stuck."""
    return Controller()


def trusting():
    """Return one that never looks at an alarm, and only every five minutes at the level."""
    return Controller(watches=False, minutes=5)
