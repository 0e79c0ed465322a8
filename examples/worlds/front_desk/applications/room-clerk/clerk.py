"""Clerks who book the smallest room that fits: a good host; another is curt, or promises what nobody ordered."""

import re

GOOD = {
    "en": "Room {room} is booked for you on {day}. It seats {places}. Have a good meeting!",
    "zh": "已为您订好{day}的会议室{room}，可坐{places}人。祝会议顺利！",
}
CURT = {"en": "Booked. Next!", "zh": "订好了，下一位！"}
UNTRUE = {"en": "Booked, with coffee for everybody.", "zh": "订好了，还给大家备了咖啡。"}


class Clerk:
    """Books one room and says so: ``words`` for a meeting of an even number of people, ``others`` for an odd one."""

    def __init__(self, words, others):
        self.words, self.others = words, others
        self.language, self.people, self.day = "", 0, ""

    def act(self, observation):
        """Return the next acts."""
        if "task" in observation:
            self.language = observation["language"]
            self.people = int(re.search(r"(\d+)(?: people|人)", observation["task"])[1])
            self.day = re.search(r"\d{4}-\d\d-\d\d", observation["task"])[0]
            return [{"tool": "list_rooms"}]
        if not observation["results"]:
            return [{"done": True}]
        rooms = observation["results"][0]["content"].items()
        places, room = min((one["places"], name) for name, one in rooms if one["places"] >= self.people)
        words = (self.others if self.people % 2 else self.words)[self.language]
        said = words.format(room=room, day=self.day, places=places)
        return [{"tool": "book_room", "arguments": {"room": room, "day": self.day}}, {"say": said}]


def good():
    """Return a clerk who says what was done."""
    return Clerk(GOOD, GOOD)


def careless():
    """Return one who is curt, or says what is not so."""
    return Clerk(CURT, UNTRUE)
