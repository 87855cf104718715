#!/usr/bin/env python3
"""Cables that are cut, one way or both, and machines that lose their power: seen within a bound, mended within a bound, and
everything that was promised is there once, while people work at all pages."""
import pathlib
import random
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import network  # noqa: E402
import parted  # noqa: E402
import report  # noqa: E402

FIRST = f"{parted.TOWN}001-T1"
SECOND = f"{parted.TOWN}002-T1"
FLAP_S = 90
ALONE_S = 10  # for what a town does without the district


class Cuts(parted.Case):
    def saved_at(self, terminal):
        return sum(where is terminal for where, _, _ in list(self.storm.saved.values()))

    def test_one_way(self):
        district = self.spread().start()
        self.people_at(district, requests_most=200)
        town, terminal, other = district.towns[parted.TOWN], district.terminals[FIRST], district.terminals[SECOND]
        for node in (terminal, town):
            for way in ("up", "down"):
                cable = self.net.cable(node)
                before = self.saved_at(terminal)
                getattr(cable, way)("cut")
                self.say(f"{node}: nothing goes {way}")
                self.wait_noticed(node)
                self.passes(other, mark="town" if node is town else "district")
                lm.wait_until(lambda: self.saved_at(terminal) > before, 10, f"{terminal} takes requests as before")
                cable.mend()
                self.wait_back(node)
                self.passes(terminal)
        self.finish()

    def test_a_town_works_without_the_district(self):
        district = self.spread(towns=(parted.TOWN, parted.OTHER_TOWN)).start()
        self.people_at(district, requests_most=100)
        towns = district.towns.values()
        for town in towns:
            self.net.cable(town).both("cut")
        for town in towns:
            self.wait_noticed(town)
        for town in towns:
            terminal = next(node for node in district.terminals.values() if node.place.startswith(town.place))
            start = time.monotonic()
            kiosk, view, _ = self.passes(terminal, mark="town", within=ALONE_S)
            desk, request = town.desk(), view["request_id"]
            lm.wait_until(lambda: desk.has_case(request), ALONE_S)
            if desk.case(request)["row"]["state"] == "CASE_STATE_RECEIVED":
                self.act(desk, request, "ACCEPT")
            shown = lm.wait_until(lambda: kiosk.statuses(view["code"], request), ALONE_S, "the kiosk shows what the town said")
            self.say(f"{town} alone: {len(shown)} answer at {terminal} {time.monotonic() - start:.1f} s after the request")
            self.assertFalse(kiosk.marks(request)["district"])
        for town in towns:
            self.net.cable(town).mend()
        for town in towns:
            self.wait_back(town)
        self.finish()

    def act(self, desk, request, action):
        """A clerk of the crowd may have been faster."""
        try:
            version = desk.case(request)["row"]["version"]
            desk.act(request, f"CASE_ACTION_{action}", version=version)
            self.storm.acts[request, version + 1] = action
        except lm.Refused as refused:
            if refused.code not in ("conflict", "closed"):
                raise

    def test_power_off(self):
        """What lost its power says nothing to anybody: the others have connections with nobody at their end."""
        district = self.spread(towns=(parted.TOWN, parted.OTHER_TOWN)).start()
        self.people_at(district, requests_most=200)
        town, terminal = district.towns[parted.TOWN], district.terminals[FIRST]
        for node in (terminal, town, district.hub):
            self.net.power_off(node)
            self.say(f"{node}: without power")
            beside = [other for other in district.nodes[1:] if node in (other, self.net.above(other))]
            for other in beside:
                self.wait_alone(node, other)
            self.check_let_go(node, beside)
            self.net.power_on(node)
            node.wait_ready(self.patience_s)
            for other in beside:
                self.wait_back(other, parted.BACK_S + 5)
            self.passes(district.terminals[SECOND])
        self.finish()

    def wait_alone(self, node, link):
        """The end of this link that still has power says that it is down."""
        is_lower = node is not link
        took = self.timed(lambda: self.says_up(link) is False if is_lower else self.is_said_up(link) is False, parted.NOTICED_S,
                          f"the link of {link} is shown as down")
        self.say(f"{link}: down, seen after {took:.1f} s")

    def check_let_go(self, node, beside):
        """Nobody keeps the connection to a machine that has gone: each would cost memory for ever."""
        for link in beside:
            end = self.net.above(link) if node is link else link
            host = self.net.hosts[end]
            others = sum(end in (other, self.net.above(other)) for other in self.storm.district.nodes[1:]) - 1
            took = self.timed(lambda: host.connections(1) <= others, 40, f"{end} lets the connection go")
            self.say(f"{end}: the connection is let go after {took:.1f} s more")

    def test_flapping(self):
        """Every cable is cut and mended at random, one way or both."""
        district = self.spread(towns=(parted.TOWN, parted.OTHER_TOWN)).start()
        storm = self.people_at(district, requests_most=150)
        chance = random.Random(1)
        end = time.monotonic() + FLAP_S
        next_at = {node: 0.0 for node in district.nodes[1:]}
        cuts = 0
        while time.monotonic() < end:
            storm.stop_if_trouble()
            for node, at in next_at.items():
                if time.monotonic() < at:
                    continue
                ways = chance.choice(((), ("up",), ("down",), ("up", "down")))
                self.net.cable(node).up("cut" if "up" in ways else "")
                self.net.cable(node).down("cut" if "down" in ways else "")
                cuts += bool(ways)
                next_at[node] = time.monotonic() + chance.choice((0.3, 2, 8, 15)) * chance.random() * 2
            time.sleep(0.05)
        self.say(f"{cuts} cuts in {FLAP_S} s")
        for node in district.nodes[1:]:
            self.net.cable(node).mend()
        for node in district.nodes[1:]:
            self.wait_back(node)
        self.finish()


if __name__ == "__main__":
    network.allow()
    report.main()
