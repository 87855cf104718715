#!/usr/bin/env python3
"""What cannot be applied is held up where an operator sees it: why, since when, what waits for it; he retries or drops it."""
import json
import pathlib
import select
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402

TOWN = "310114106"
FIRST, SECOND = f"{TOWN}001-T1", f"{TOWN}002-T1"
UNSERVED = "the request names no service, or no revision of it"
TOO_MANY = "this case has 24 asks and 0 events, as many as it may"


class Quarantine(lm.Case):
    def setUp(self):
        self.d = self.district(sites=2)
        self.town, self.hub, self.first, self.evil = self.d.towns[TOWN], self.d.hub, *self.d.terminals.values()

    def poison(self, request_id):
        """The second terminal's keys in the hands of tests/lib/hostile.c; until the town has what it sent."""
        status = self.town.status()
        hostile = subprocess.Popen([lm.BUILD / "tests/lib/hostile", self.evil.folder, SECOND, self.town.link_address,
                                    status["curve_key"], status["authority"], f"poison={request_id}"], stdout=subprocess.PIPE)
        try:
            ready, _, _ = select.select([hostile.stdout], [], [], 60)
            self.assertEqual(b"greeted\n", ready and hostile.stdout.readline())
            before = int(status["quarantined"])
            lm.wait_until(lambda: int(self.town.status()["quarantined"]) > before, what="the town keeps the poison")
        finally:
            hostile.kill()
            hostile.wait()
            hostile.stdout.close()

    def held_up(self, node, *options):
        return json.loads(self.d.lmctl("quarantine", "list", "--json", *options, node=node))["items"]

    def act(self, node, what, item, *options):
        return json.loads(self.d.lmctl("quarantine", what, item, "--json", *options, node=node))

    def by_reason(self, node):
        return {item["reason"]: item for item in self.held_up(node)}

    def test_list_retry_drop(self):
        d, town, hub = self.d, self.town, self.hub
        kiosk = self.first.kiosk()
        view = kiosk.submit(kiosk.service(owner=lm.HUB))
        lm.wait_until(lambda: kiosk.marks(view["request_id"])["district"])
        self.evil.stop()
        hub.stop()
        self.poison(view["request_id"])

        items = self.by_reason(town)
        self.assertEqual({UNSERVED, TOO_MANY, "waits for the request it belongs to"}, set(items))
        unserved, late, cites = items[UNSERVED], items[TOO_MANY], items["waits for the request it belongs to"]
        self.assertEqual(["DISPOSITION_QUARANTINED", "KIND_REQUEST", SECOND, "1", True, True, "0"],
                         [unserved[k] for k in ("disposition", "kind", "origin_place", "waiting", "can_retry", "can_drop", "tried_ms")])
        self.assertEqual(["DISPOSITION_HELD", "KIND_ANSWER", "0"], [cites[k] for k in ("disposition", "kind", "waiting")])
        self.assertEqual(unserved["request_id"], cites["request_id"])
        status = town.status()
        self.assertEqual(["2", "1"], [status["quarantined"], status["held"]])
        pages = [self.held_up(town, "--count", 1)[0]["item"]]
        while page := self.held_up(town, "--count", 1, "--after", pages[-1]):
            pages.append(page[0]["item"])
        self.assertEqual([item["item"] for item in self.held_up(town)], pages)

        # The district answers what it can: then there is room for the one that was too many.
        for key, item in (("reason", late), ("reason", cites)):
            self.assertEqual(item[key], self.act(town, "retry", item["item"])[key])
        hub.start().wait_ready()
        lm.wait_until(lambda: town.desk().case(view["request_id"])["row"]["version"] == 25, what="every ask is answered")
        done = self.act(town, "retry", late["item"], "--by", "tester")
        self.assertEqual(["DISPOSITION_APPLIED", False, False], [done[k] for k in ("disposition", "can_retry", "can_drop")])
        with self.assertRaisesRegex(lm.Failed, "is not held up: it was applied"):
            self.act(town, "retry", late["item"])
        with self.assertRaisesRegex(lm.Failed, "is not held up: it was applied"):
            self.act(town, "drop", 1, "--reason", "it was never held up")
        with self.assertRaisesRegex(lm.Failed, "there is no item '99999999'"):
            self.act(town, "retry", 99999999)
        with self.assertRaisesRegex(lm.Failed, "'x' is no name of an item"):
            self.act(town, "retry", "x")

        # From the page: whoever is logged in, under their own name.
        desk = town.desk()
        again = desk.post("/api/v1/quarantine", {"item": unserved["item"], "act": "QUARANTINE_ACT_RETRY", "by": "another"})
        self.assertEqual([UNSERVED, True, "DISPOSITION_QUARANTINED"], [again[k] for k in ("reason", "can_retry", "disposition")])
        self.assertGreaterEqual(int(again["tried_ms"]), int(unserved["since_ms"]))
        drop = {"item": unserved["item"], "act": "QUARANTINE_ACT_DROP"}
        self.assertIn("say why", self.refused("invalid", desk.post, "/api/v1/quarantine", drop | {"reason": " "}))
        self.assertIn("retried or dropped", self.refused("invalid", desk.post, "/api/v1/quarantine", {"item": unserved["item"]}))
        self.refused("login", lm.Client(town.http_address).get, "/api/v1/quarantine")
        dropped = desk.post("/api/v1/quarantine", drop | {"reason": "a broken device made it"})
        clerk = d.account_name(town)
        told = town.control.get("/api/v1/audit")["rows"]  # newest first, with who and why
        self.assertEqual(["item-drop", clerk, "a broken device made it"], [told[0][k] for k in ("what", "by", "reason")])
        self.assertIn(("item-retry", "tester"), [(row["what"], row["by"]) for row in told])
        self.assertEqual(["DISPOSITION_DROPPED", f"dropped by {clerk}: a broken device made it; before that: {UNSERVED}"],
                         [dropped[k] for k in ("disposition", "reason")])
        for what in ("drop", "retry"):
            with self.assertRaisesRegex(lm.Failed, "was dropped before"):
                self.act(town, what, unserved["item"], "--reason", "again")
        self.assertEqual([cites["item"]], [item["item"] for item in self.held_up(town)])  # held as long as nobody drops it, too
        self.act(town, "drop", cites["item"], "--reason", "what it cites was dropped")
        self.assertEqual([], self.held_up(town))
        self.assertEqual([("QUARANTINE_ACT_DROP", "what it cites was dropped"), ("QUARANTINE_ACT_DROP", "a broken device made it"),
                          ("QUARANTINE_ACT_RETRY", ""), ("QUARANTINE_ACT_RETRY", ""), ("QUARANTINE_ACT_RETRY", ""),
                          ("QUARANTINE_ACT_RETRY", "")],
                         [(item["act"], item["act_reason"]) for item in self.held_up(town, "--done")])
        self.assertEqual([clerk, clerk, "tester"], [item["by"] for item in self.held_up(town, "--done")][1:4])

        # The district has its own list: what cannot be applied there neither. A town's acts stay in the town.
        lm.wait_until(lambda: len(self.held_up(hub)) == 2)
        self.assertEqual({UNSERVED, "waits for the request it belongs to"}, set(self.by_reason(hub)))

        # The same device, another history: evidence, which is neither retried nor dropped.
        self.poison(view["request_id"])
        frozen = self.held_up(town)
        self.assertEqual({"DISPOSITION_FROZEN"}, {item["disposition"] for item in frozen})
        for what in ("drop", "retry"):
            with self.assertRaisesRegex(lm.Failed, "two histories: it is kept as evidence"):
                self.act(town, what, frozen[0]["item"], "--reason", "away with it")
        acks = [line for line in town.status()["lines"] if line["place"] == SECOND and line["stream"] == "STREAM_UP"]
        self.assertEqual([("27", True)], [(line["custody"] and line["ordinal"], line["is_frozen"]) for line in acks])

        for node in (town, hub):
            before = self.held_up(node)
            node.stop()
            self.assertIn("good: every row", d.lmctl("verify", node=node))
            rebuilt = json.loads(d.lmctl("rebuild", "--json", node=node))
            self.assertTrue(rebuilt["is_equal"], rebuilt)
            node.start().wait_ready()
            self.assertEqual(before, self.held_up(node))


if __name__ == "__main__":
    report.main()
