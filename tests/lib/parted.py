"""Tests of districts whose network fails (network.py): what must be seen of it, and how soon.

The bounds follow from the link's own times (docs/SYNC.md): a neighbour that is not heard for 9 s is lost. Who is cut off one way
only still hears the other until that one has noticed and says no more, so both sides know after 18 s. A new connection is tried
for 5 s, at most 8 s lie between two tries, and a handshake may take its time.
"""
import re
import time
import urllib.request

import lm
import network
import people
import settled

TOWN = "310114106"
OTHER_TOWN = "310114103"
SILENCE_S = 9  # LINK_SILENCE_MS
SLOW_S = 4  # what a slow machine adds
NOTICED_S = 2 * SILENCE_S + SLOW_S
BACK_S = 5 + 8 + 3 + SLOW_S
TIER_NAMES = {lm.HUB: "district", lm.TOWN: "town", lm.TERMINAL: "terminal"}
EXPECTED_IN_LOG = ("link-refused", "refused")  # whoever was away too long is told to greet again


def figure(node, name, **labels):
    """One number of a daemon's /metrics; None if it is not there."""
    with urllib.request.urlopen(f"http://{node.http_address}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    wanted = ",".join(f'{key}="{value}"' for key, value in labels.items())
    found = re.search("^" + re.escape(f"{name}{{{wanted}}}" if wanted else name) + r" (\S+)$", text, re.M)
    return float(found.group(1)) if found else None


class Case(settled.Case):
    drained_s = 30
    lenient_s = 0  # more, for who does not measure

    def setUp(self):
        why = network.why_not()
        if why:
            self.skipTest(why)
        self.begun = time.monotonic()

    def say(self, text):
        print(f"[{time.monotonic() - self.begun:6.1f} s] {text}", flush=True)

    def spread(self, towns=(TOWN,), sites=2, **settings):
        """A district on hosts of its own, laid out and not started."""
        district = self.lay_out(towns=towns, sites=sites, **settings)
        for node in district.terminals.values():
            node.settings["receipts_ahead"] = 1
        self.net = network.Network(self, district)
        return district

    def people_at(self, district, requests_most=40):
        """At all its pages, from now on; `finish` sends them home."""
        self.storm = people.Storm(district, "1", self.patience_s, requests_most)
        self.addCleanup(self.storm.is_over.set)
        return self.storm.start()

    def finish(self):
        self.storm.end()
        self.say(self.storm.told())
        self.assertGreater(len(self.storm.saved), len(self.storm.district.terminals))
        trouble = [event for event in settled.TROUBLE_IN_LOG if event not in EXPECTED_IN_LOG]
        self.check(self.storm, self.say, trouble)

    # ---- what pages and figures say of a link ----

    def says_up(self, node):
        """What it says of the tier above, on its page and in its figures, which must agree."""
        above = self.net.above(node)
        with urllib.request.urlopen(f"http://{node.http_address}/readyz", timeout=30) as answer:  # 200: it can work, link or no link
            view = answer.read().decode()
        is_good = '"name":"upstream","is_good":true' in view.replace(" ", "")
        up = figure(node, "lm_link_up", tier=TIER_NAMES[above.tier], place=above.place)
        return up == 1 if (up == 1) == is_good else None

    def is_said_up(self, node):
        """What the tier above says of it; None: nothing yet."""
        up = figure(self.net.above(node), "lm_link_up", tier=TIER_NAMES[node.tier], place=node.place)
        return None if up is None else up == 1

    def timed(self, predicate, within, what):
        start = time.monotonic()
        lm.wait_until(predicate, within + self.lenient_s, what, pause=0.05)
        return time.monotonic() - start

    def wait_noticed(self, node, within=NOTICED_S):
        """Both ends show the link as down."""
        within += self.lenient_s
        start = time.monotonic()
        here = there = None
        while here is None or there is None:
            took = time.monotonic() - start
            if here is None and self.says_up(node) is False:
                here = took
            if there is None and self.is_said_up(node) is False:
                there = took
            if took > within:
                self.fail(f"{within} s after the link of {node} was cut: seen there after {here} s, above after {there} s")
            time.sleep(0.1)
        self.say(f"{node}: down, seen after {here:.1f} s, by the tier above after {there:.1f} s")

    def wait_back(self, node, within=BACK_S):
        took = self.timed(lambda: self.says_up(node) and self.is_said_up(node), within, f"the link of {node} is up again")
        self.say(f"{node}: up again after {took:.1f} s")

    def passes(self, terminal, mark="district", within=10):
        """A request that is handed in now gets so far."""
        kiosk = terminal.kiosk()
        view = kiosk.submit()
        storm, request = self.storm, view["request_id"]
        storm.tried[request], storm.saved[request] = terminal, (terminal, view["code"], None)
        service = kiosk.service()
        storm.owners[request], storm.hidden[request] = people.owner_of(service, lm.answers(service))
        took = self.timed(lambda: kiosk.marks(request)[mark], within, f"a request of {terminal} has the mark {mark}")
        return kiosk, view, took
