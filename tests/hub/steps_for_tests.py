"""Who can go on: in a state that is not over, somebody's page offers a step."""

import re

PEOPLE = ("owner", "supplier", "reviewer", "desk", "planner", "regulator")


class Steps:
    """The states that a walk came by; in each somebody could go on."""

    def __init__(self, world, people=PEOPLE):
        self.world, self.people, self.seen = world, people, set()

    def look(self, state, *addresses):
        """Note the state; somebody's page at one of ``addresses`` offers a form or the page of an act."""
        self.seen.add(str(state))
        offered = {who: found for who in self.people if (found := self._offered(who, addresses))}
        assert offered, f"nobody can go on from {state}"

    def _offered(self, who, addresses):
        found = []
        for address in addresses:
            answer = self.world.client(who).get(address)
            main = answer.content.decode().partition("<main")[2] if answer.status_code == 200 else ""
            found += re.findall(r'<form method="post"[^>]*>', main)
            found += re.findall(rf'<a class="button[^"]*" href="({re.escape(address)}[^"]+)"', main)
        return found
