#!/usr/bin/env python3
"""Machines that come back from an image of their disk, and machines that run twice: nothing is lost or doubled, people hear
of it, and an operator says which of two histories goes on.

    LM_LONG=1       all of it (tests/run clones), two minutes; otherwise one clone from its beginning to its end
"""
import json
import os
import pathlib
import re
import shutil
import sys
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402
from twin import image_of, put_back, twin  # noqa: E402

TOWN = "310114106"
SITE = f"{TOWN}001-T1"
in_full = unittest.skipUnless(os.environ.get("LM_LONG"), "LM_LONG is not set")
CLOSED = "of the machine that was closed: the one behind the door stays"


class Clones(lm.Case):
    def setUp(self):
        self.d = self.lay_out(sites=1)
        self.hub, self.town, self.first = self.d.hub, self.d.towns[TOWN], self.d.terminals[SITE]

    def wire(self, node, target):
        wire = lm.Wire(self, target.link_address)
        node.settings["upstream"] = wire.address
        return wire

    def link(self, node, place):
        """How a node shows its link with the device at a place."""
        return next(link for link in node.status()["links"]["links"] if link["place"] == place)

    def metric(self, node, name, place):
        text = urllib.request.urlopen(f"http://{node.http_address}/metrics", timeout=10).read().decode()
        found = re.search(rf'^{name}{{[^}}]*place="{place}"[^}}]*}} (\S+)', text, re.M)
        return found and float(found.group(1))

    def told(self, node, event):
        lines = [json.loads(line) for line in node.log.read_text().splitlines() if line.startswith("{")]
        return [line["text"] for line in lines if line["event"] == event]

    def why(self, node):
        return lm.Kiosk(node.http_address).begin().state()["why_code"]

    def held_up(self, node):
        return json.loads(self.d.lmctl("quarantine", "list", "--json", node=node))["items"]

    def at_district(self, kiosk, view):
        lm.wait_until(lambda: kiosk.marks(view["request_id"])["district"], what=f"{view['request_id']} is at the district")

    def has_once(self, requests):
        """Each of these requests, and no other, is a case at the town and at the district, once on every tape."""
        for node in (self.town, self.hub):
            rows = [row["request_id"] for row in node.desk().cases("all")]
            self.assertEqual(sorted(requests), sorted(rows), f"cases at {node}")
            node.stop()
            self.assertIn("good: every row", self.d.lmctl("verify", node=node))
            self.assertTrue(json.loads(self.d.lmctl("rebuild", "--json", node=node))["is_equal"])
            node.start()
        for node in (self.town, self.hub):
            node.wait_ready()

    def split(self):
        """Two machines with one key, each with a wire of its own, and requests of both; the town has noticed. Of the requests
        r1, r2 and s1 are at the district, r3 was kept aside, and s2 has not left the second machine."""
        self.d.start()
        one = self.first.kiosk()
        view = [one.submit()]
        self.at_district(one, view[0])
        self.first.stop()
        self.second = twin(self.d, self.first)
        self.wires = [self.wire(node, self.town) for node in (self.first, self.second)]
        self.wires[1].cut()
        for node in (self.first, self.second):
            node.start().wait_ready()
        one, two = self.first.kiosk(), self.second.kiosk()
        view.append(one.submit(nth=1))
        self.at_district(one, view[1])
        self.only(1)
        view.append(two.submit(nth=2))
        self.at_district(two, view[2])
        lm.wait_until(lambda: self.told(self.town, "rollback"), what="the town takes it for a rollback")
        self.only(None)
        view.append(two.submit(nth=3))
        view.append(one.submit(nth=4))
        self.only(0)
        lm.wait_until(lambda: self.why(self.first) == "frozen", what="the first machine hears it")
        return [v["request_id"] for v in view]

    def only(self, which):
        for i, wire in enumerate(self.wires):
            if i == which:
                wire.mend()
            else:
                wire.sever()

    def release(self, history, *more):
        return self.d.lmctl("release", SITE, history, "--reason", "the one behind the door stays", "--by", "chen", *more,
                            node=self.hub)

    def stays_without_a_link(self, node, why):
        self.only(None)
        node.stop()
        node.start().wait_ready()
        self.assertEqual(why, self.why(node))
        self.refused("frozen", lm.Kiosk(node.http_address).begin().draft)

    def test_the_first_goes_on(self):
        r1, r2, s1, s2, r3 = self.split()
        d, town, hub = self.d, self.town, self.hub
        self.assertIn("two histories", self.told(town, "clone")[0])
        self.assertTrue(self.told(self.first, "frozen"))
        lm.wait_until(lambda: self.link(hub, SITE)["is_frozen"], what="the district hears of it")
        stored, other = self.link(hub, SITE)["histories"]
        self.assertEqual([stored, other], self.link(town, SITE)["histories"])
        for node in (town, hub):
            lm.wait_until(lambda: self.metric(node, "lm_link_frozen", SITE) == 1, what=f"{node} tells collectors")
        state = lm.Kiosk(self.first.http_address).begin().state()
        self.assertIn(f"this machine's is {other}", state["why_text"])
        self.assertEqual({"DISPOSITION_FROZEN"}, {item["disposition"] for item in self.held_up(town)})
        self.stays_without_a_link(self.first, "frozen")
        self.only(1)
        lm.wait_until(lambda: self.why(self.second) == "frozen", what="the second machine hears it")
        lm.wait_until(lambda: any(item["request_id"] == s2 for item in self.held_up(town)), what="what it had saved is kept")
        self.stays_without_a_link(self.second, "frozen")

        for words, says in (((stored + "0",), f"{stored} (stored) or {other} (the other)"),):
            with self.assertRaisesRegex(lm.Failed, re.escape(says)):
                self.release(*words)
        with self.assertRaisesRegex(lm.Failed, "reason: say why"):
            d.lmctl("release", SITE, other, "--reason", " ", node=hub)
        with self.assertRaisesRegex(lm.Failed, "only the district's hub does this"):
            d.lmctl("release", SITE, other, "--reason", "here", node=town)
        self.release(other)
        lm.wait_until(lambda: not self.link(town, SITE)["is_frozen"], what="the town takes it again")
        lm.wait_until(lambda: town.desk().has_case(r3), what="what was kept aside goes on by itself")
        lm.wait_until(lambda: not self.link(hub, SITE)["is_frozen"], what="the district hears of it")
        with self.assertRaisesRegex(lm.Failed, "one history only"):
            self.release(other)

        self.only(0)
        lm.wait_until(lambda: not self.why(self.first), what="the first machine goes on")
        one = self.first.kiosk()
        r4 = one.submit(nth=5)
        self.at_district(one, r4)
        self.only(1)
        lm.wait_until(lambda: self.why(self.second) == "closed", what="the second machine hears that it is closed")
        self.stays_without_a_link(self.second, "closed")
        self.assertIn("the one behind the door stays", lm.Kiosk(self.second.http_address).begin().state()["why_text"])

        # What the closed machine had saved waits for an operator at both tiers.
        for node in (town, hub):
            def kept():
                return [item for item in self.held_up(node) if item["request_id"] == s2]
            lm.wait_until(lambda: kept() and kept()[0]["disposition"] == "DISPOSITION_QUARANTINED", what=f"{node} keeps it")
            self.assertEqual((CLOSED, True, True), tuple(kept()[0][k] for k in ("reason", "can_retry", "can_drop")))
            self.assertFalse(node.desk().has_case(s2))
            d.lmctl("quarantine", "retry", kept()[0]["item"], "--by", "chen", node=node)
            lm.wait_until(lambda: node.desk().has_case(s2))
        self.has_once([r1, r2, s1, s2, r3, r4["request_id"]])
        self.assertFalse(self.link(hub, SITE)["is_frozen"])

    @in_full
    def test_the_second_goes_on_and_the_first_never_comes_back(self):
        r1, r2, s1, s2, r3 = self.split()
        self.first.kill()
        lm.wait_until(lambda: self.link(self.hub, SITE)["histories"], what="the district hears of it")
        stored, _ = self.link(self.hub, SITE)["histories"]
        desk = self.hub.desk()
        desk.post("/api/v1/devices/release", {"device": SITE, "history": stored, "reason": "the one behind the door stays"})
        self.only(1)
        lm.wait_until(lambda: not self.why(self.second), what="the second machine goes on")
        lm.wait_until(lambda: self.hub.desk().has_case(s2), what="what it had saved goes on")
        for node in (self.town, self.hub):
            def kept():
                return [item for item in self.held_up(node) if item["request_id"] == r3]
            lm.wait_until(lambda: kept() and kept()[0]["disposition"] == "DISPOSITION_QUARANTINED", what=f"{node} keeps it")
            self.assertEqual(CLOSED, kept()[0]["reason"])
            self.d.lmctl("quarantine", "drop", kept()[0]["item"], "--reason", "handed in again", node=node)
        self.has_once([r1, r2, s1, s2])

    @in_full
    def test_rollback_of_a_terminal(self):
        """What it had sent after the image is kept above; nothing is doubled; the old process never comes back."""
        self.d.start()
        kiosk = self.first.kiosk()
        before = kiosk.submit()
        self.at_district(kiosk, before)
        self.first.stop()
        image = image_of(self.first, "image")
        self.first.start()
        kiosk = self.first.kiosk()
        forgotten = kiosk.submit(nth=1)
        self.at_district(kiosk, forgotten)
        command = kiosk.draft(nth=3)
        self.at_district(kiosk, kiosk.hand_in(command))
        self.first.stop()
        put_back(self.first, image)
        self.first.start()
        kiosk = self.first.kiosk()
        after = kiosk.submit(nth=2)
        self.at_district(kiosk, after)
        insisted = kiosk.hand_in(command)  # by a page that has not seen the answer
        self.at_district(kiosk, insisted)
        for node in (self.town, self.hub):
            lm.wait_until(lambda: self.told(node, "rollback"), what=f"{node} tells of it")
            line = [v for v in node.status()["lines"] if v["place"] == SITE and v["stream"] == "STREAM_UP"][0]
            self.assertEqual(("1", False), (line["rollbacks"], line["is_frozen"]))
        # Its own memory of it is gone; the town finds the receipt, and so does the resident.
        self.town.desk().accept(forgotten["request_id"])
        lm.wait_until(lambda: kiosk.statuses(forgotten["code"], forgotten["request_id"]), what="the town shows the receipt")
        # What was handed in twice has a new lock here, and the town writes to the first one.
        self.town.desk().accept(insisted["request_id"])
        lm.wait_until(lambda: kiosk.statuses(insisted["code"], insisted["request_id"]), what="the other receipt, too")
        self.has_once([v["request_id"] for v in (before, forgotten, after, insisted)])

    @in_full
    def test_wipe(self):
        """A machine whose folder is gone is another one: it waits to be let in, and what it had sent stays."""
        self.d.start()
        kiosk = self.first.kiosk()
        view = kiosk.submit()
        self.at_district(kiosk, view)
        old = self.first.device()["fingerprint"]
        self.first.stop()
        shutil.rmtree(self.first.folder)
        self.first.start().wait_ready()
        self.assertNotEqual(old, self.first.device()["fingerprint"])
        lm.wait_until(lambda: self.why(self.first) == "unknown-key", what="the town does not know it")
        with self.assertRaisesRegex(lm.Refused, "revoke it first"):
            self.d.admit(self.first)
        self.d.lmctl("revoke", SITE, "--reason", "its disk is gone", "--by", "chen", node=self.hub)
        self.d.admit(self.first)
        kiosk = self.first.kiosk()
        again = kiosk.submit(nth=1)
        self.at_district(kiosk, again)
        self.has_once([view["request_id"], again["request_id"]])

    @in_full
    def test_a_town_runs_twice(self):
        """The district notices; both copies take no more business; one goes on."""
        self.d.start()
        kiosk, hub = self.first.kiosk(), self.hub
        r = [kiosk.submit(nth=n)["request_id"] for n in range(2)]
        lm.wait_until(lambda: all(hub.desk().has_case(x) for x in r))
        self.town.stop()
        second = twin(self.d, self.town)
        self.wires = [self.wire(node, hub) for node in (self.town, second)]
        self.wires[1].cut()
        for node in (self.town, second):
            node.start().wait_ready()
        one, two = self.town.desk(), lm.Desk(second.http_address).login("clerk1", self.d.passwords["clerk1"])

        def version(request):
            return hub.desk().case(request)["row"]["version"]

        one.accept(r[0])
        lm.wait_until(lambda: version(r[0]) == 1)
        self.only(1)
        two.accept(r[1])
        lm.wait_until(lambda: version(r[1]) == 1)
        self.only(0)
        one.grant(r[0])
        lm.wait_until(lambda: self.link(hub, TOWN)["is_frozen"], what="the district notices")
        stored, other = self.link(hub, TOWN)["histories"]
        lm.wait_until(lambda: self.town.status()["links"]["upstream"]["is_frozen"])
        self.assertIn("nothing more of this device is taken", self.refused("frozen", one.act, r[1], "CASE_ACTION_ACCEPT"))
        self.only(1)
        lm.wait_until(lambda: second.status()["links"]["upstream"]["is_frozen"])
        self.refused("frozen", two.act, r[0], "CASE_ACTION_ACCEPT")
        hub.desk().post("/api/v1/devices/release", {"device": TOWN, "history": other, "reason": "the one behind the door stays"})
        lm.wait_until(lambda: "another machine" in second.status()["links"]["upstream"]["text"])
        self.only(0)
        lm.wait_until(lambda: version(r[0]) == 2, what="what the first town decided goes on")
        lm.wait_until(lambda: not self.town.status()["links"]["upstream"]["is_frozen"])
        self.refused("frozen", two.act, r[0], "CASE_ACTION_ACCEPT")
        view = kiosk.submit(nth=7)
        self.at_district(kiosk, view)

    @in_full
    def test_rollback_of_a_town(self):
        """Its terminals send again what it forgot; nothing is doubled, and the district has lost nothing."""
        self.d.start()
        kiosk, hub = self.first.kiosk(), self.hub
        before = kiosk.submit()
        self.at_district(kiosk, before)
        self.town.stop()
        image = image_of(self.town, "image")
        self.town.start().wait_ready()
        forgotten = kiosk.submit(nth=1)
        self.at_district(kiosk, forgotten)
        self.town.stop()
        put_back(self.town, image)
        self.town.start().wait_ready()
        after = kiosk.submit(nth=2)
        self.at_district(kiosk, after)
        for view in (before, forgotten, after):
            lm.wait_until(lambda: self.town.desk().has_case(view["request_id"]), what="the town has it again")
        self.town.desk().accept(forgotten["request_id"])
        lm.wait_until(lambda: hub.desk().case(forgotten["request_id"])["row"]["version"] == 1)
        self.has_once([v["request_id"] for v in (before, forgotten, after)])

    @in_full
    def test_a_town_that_was_put_back_gets_back_what_it_decided(self):
        """As after a restore, once an operator says so: the district and the terminals give back what the image lacks."""
        self.d.start()
        kiosk, hub, town = self.first.kiosk(), self.hub, self.town
        before = kiosk.submit()
        self.at_district(kiosk, before)
        town.stop()
        image = image_of(town, "image")
        town.start().wait_ready()
        forgotten = kiosk.submit(nth=1)
        self.at_district(kiosk, forgotten)
        town.desk().accept(before["request_id"])
        town.desk().accept(forgotten["request_id"])
        town.desk().grant(forgotten["request_id"])

        def version(node, view):
            return node.desk().case(view["request_id"])["row"]["version"]
        lm.wait_until(lambda: (version(hub, before), version(hub, forgotten)) == (1, 2), what="the district has it")
        lm.wait_until(lambda: len(kiosk.statuses(forgotten["code"], forgotten["request_id"])) == 2)
        untold = kiosk.submit(nth=2)
        self.at_district(kiosk, untold)
        self.first.stop()
        town.desk().accept(untold["request_id"])
        lm.wait_until(lambda: version(hub, untold) == 1, what="the district has it, and the terminal has not")
        town.stop()
        put_back(town, image)
        town.start()
        lm.wait_until(lambda: self.told(town, "put-back"), what="the town finds itself put back")
        with self.assertRaisesRegex(lm.Failed, "stop"):
            self.d.lmctl("return", "begin", node=town)
        town.stop()
        put_back(town, image)
        self.assertIn("is an image of", self.d.lmctl("return", "begin", node=town))
        with self.assertRaisesRegex(lm.Failed, "says so already"):
            self.d.lmctl("return", "begin", node=town)
        for node in (town, self.first):
            node.start()
        kiosk = self.first.kiosk()
        lm.wait_until(lambda: not json.loads(self.d.lmctl("return", "list", "--json", node=town))["is_returning"],
                      what="the district and the terminal have given back what they had")
        self.assertEqual((1, 2, 1), tuple(version(town, view) for view in (before, forgotten, untold)))
        lm.wait_until(lambda: kiosk.statuses(untold["code"], untold["request_id"]), what="the resident is told after all")
        town.desk().grant(before["request_id"])
        lm.wait_until(lambda: version(hub, before) == 2, what="and its next decision follows")
        lm.wait_until(lambda: len(kiosk.statuses(before["code"], before["request_id"])) == 2)
        self.assertEqual([], self.told(hub, "rollback") + self.told(self.first, "rollback") + self.held_up(hub))
        self.assertEqual(2, len(kiosk.statuses(forgotten["code"], forgotten["request_id"])))
        self.has_once([v["request_id"] for v in (before, forgotten, untold)])

    @in_full
    def test_two_machines_take_turns_at_one_link(self):
        self.d.start()
        self.first.stop()
        second = twin(self.d, self.first)
        for node in (self.first, second):
            node.start().wait_ready()
        lm.wait_until(lambda: self.told(self.town, "doubled"), 120, "the town notices that both live")
        lm.wait_until(lambda: "take turns" in self.link(self.town, SITE)["text"], 60)
        views = [(node, node.kiosk().submit(nth=n)) for n, node in enumerate((self.first, second))]
        for node, view in views:  # one after the other gets its turn
            lm.wait_until(lambda: self.hub.desk().has_case(view["request_id"]) or self.link(self.town, SITE)["is_frozen"], 120)


if __name__ == "__main__":
    report.main()
