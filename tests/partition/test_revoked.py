#!/usr/bin/env python3
"""A revoked device is refused everywhere within a minute of its town being reachable."""
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import audit  # noqa: E402
import lm  # noqa: E402
import network  # noqa: E402
import parted  # noqa: E402
import report  # noqa: E402

FIRST, SECOND, THIRD = (f"{parted.TOWN}{site:03}-T1" for site in (1, 2, 3))
REVOKED_S = 60


class Revoked(parted.Case):
    def revoke(self, node):
        node.district.lmctl("revoke", node.place, "--reason", "示例：设备失窃", "--by", "operator1", node=node.district.hub)

    def is_refused(self, node):
        """It is told so, takes nothing any more, and its link is down at both ends."""
        state = lm.Kiosk(node.http_address).begin().state()
        return not state["can_take_requests"] and state["why_code"] == "revoked" and not self.is_said_up(node)

    def wait_refused(self, node, what):
        took = self.timed(lambda: self.is_refused(node), REVOKED_S, f"{node} is refused")
        self.say(f"{what}: refused after {took:.1f} s")

    def requests_of(self, node, place):
        return {entry.request for entry in audit.Tape(node).entries if entry.kind == "KIND_REQUEST" and entry.place == place}

    def test_terminals(self):
        district = self.spread(sites=3).start()
        hub, town = district.hub, district.towns[parted.TOWN]
        first, second, third = (district.terminals[place] for place in (FIRST, SECOND, THIRD))
        kiosks = {node: node.kiosk() for node in (first, second, third)}

        self.revoke(first)
        self.wait_refused(first, "its town is reachable, and so is it")

        # The district is cut off: its town cannot know yet, and what it takes meanwhile counts.
        self.net.cable(town).both("cut")
        self.wait_noticed(town)
        self.revoke(second)
        before = kiosks[second].submit()["request_id"]
        lm.wait_until(lambda: kiosks[second].marks(before)["town"], 10)
        time.sleep(parted.SILENCE_S)
        self.assertTrue(self.says_up(second))
        self.net.cable(town).mend()
        self.wait_refused(second, "its town becomes reachable")
        lm.wait_until(lambda: before in self.requests_of(hub, SECOND), 30, "what the town had before counts")

        # The device itself is cut off, and takes a request that nobody may get.
        self.net.cable(third).both("cut")
        self.wait_noticed(third)
        self.revoke(third)
        after = kiosks[third].submit()["request_id"]
        lm.wait_until(lambda: self.town_knows(town, THIRD), REVOKED_S, "the town knows of it")
        self.net.cable(third).mend()
        self.wait_refused(third, "it comes back itself")
        time.sleep(parted.SILENCE_S)
        for node in (town, hub):
            self.assertNotIn(after, self.requests_of(node, THIRD), f"{node} took what came after the revocation")

    @staticmethod
    def town_knows(town, place):
        return any(device["record"]["place"] == place and device["record"]["status"] == "DEVICE_STATUS_REVOKED"
                   for device in town.control.get("/ctl/v1/devices")["devices"])

    def test_a_town(self):
        """Its terminals go on with what they have; nothing of it reaches the district any more."""
        district = self.spread(towns=(parted.TOWN, parted.OTHER_TOWN), sites=1).start()
        hub, town = district.hub, district.towns[parted.TOWN]
        kiosk = district.terminals[FIRST].kiosk()
        self.revoke(town)
        took = self.timed(lambda: not self.is_said_up(town) and not town.is_connected(), REVOKED_S, f"{town} is refused")
        self.say(f"a town: refused after {took:.1f} s")
        view = kiosk.submit()
        self.assertTrue(view["is_saved"])
        time.sleep(parted.SILENCE_S)
        self.assertNotIn(view["request_id"], self.requests_of(hub, FIRST))
        other = district.terminals[f"{parted.OTHER_TOWN}001-T1"].kiosk()
        request = other.submit()["request_id"]
        lm.wait_until(lambda: other.marks(request)["district"], 10, "the other town goes on")


if __name__ == "__main__":
    network.allow()
    report.main()
