#!/usr/bin/env python3
"""Does what a town writes reach the kiosks of the communities that it names, and no other; by two people; and go when it is taken back?"""
import copy
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402

TOWN, OTHER = "310114106", "310114103"
FIRST, SECOND = f"{TOWN}001-T1", f"{TOWN}002-T1"
LIST = "/api/v1/publications/notice"
KEY = "paper-cutting"
NOTICE = {
    "id": KEY, "about": "NOTICE_ABOUT_ACTIVITY", "name": {"zh": "周六剪纸活动", "en": ""},
    "text": [{"zh": "示例：每周六上午9点，在社区活动室。材料免费。", "en": ""}], "easy": [{"zh": "周六来剪纸。", "en": ""}],
    "places": [FIRST[:12]], "until": "2199-12-31",
}


class Notices(lm.Case):
    def begin(self, **layout):
        self.d = self.district(**({"sites": 2} | layout))
        self.clerk, self.supervisor = (self.d.towns[TOWN].desk(name) for name in ("clerk1", "supervisor1"))

    def step(self, desk, action, version, key=KEY, **more):
        return desk.post(f"{LIST}/{key}", {"action": f"DRAFT_ACTION_{action}", "version": version, **more})

    def save(self, version=0, based_on=0, desk=None, **changes):
        notice = copy.deepcopy(NOTICE) | changes
        return self.step(desk or self.clerk, "SAVE", version, key=notice["id"], based_on=based_on, notice=notice)

    def shown(self, place):
        """What the kiosk shows: by its page's list, and by the number on its first screen."""
        kiosk = self.d.terminals[place].kiosk()
        notices = kiosk.get("/api/v1/notices")["notices"]
        return [n["id"] for n in notices] if len(notices) == kiosk.state()["town_notices"] else None

    def is_shown(self, place, ids, what):
        lm.wait_until(lambda: self.shown(place) == ids, what=what)

    def arrival(self, key=KEY):
        newest = self.clerk.get(f"{LIST}/{key}")["row"]["newest"]
        return newest["arrival"]["arrived"], newest["arrival"]["sites"]

    def test_written_by_one_published_by_another_shown_where_it_says(self):
        self.begin()
        broken = self.save(name={"zh": "周六\u202e剪纸", "en": ""})
        self.assertEqual(["name.zh"], [fault["path"] for fault in broken["faults"]])
        self.refused("invalid", self.step, self.supervisor, "PUBLISH", 1)
        self.assertEqual([], self.save(1)["faults"])
        self.refused("denied", self.step, self.clerk, "PUBLISH", 2)
        self.refused("conflict", self.step, self.supervisor, "PUBLISH", 1)
        self.assertEqual([], self.shown(FIRST), "a draft is shown to nobody")
        self.assertEqual(1, self.step(self.supervisor, "PUBLISH", 2)["revision"])
        self.is_shown(FIRST, [KEY], "the kiosk shows it")
        self.assertEqual([], self.shown(SECOND), "it names another community")
        lm.wait_until(lambda: self.arrival() == (1, 1), what="both see that it has arrived")
        self.assertEqual([], self.supervisor.get(f"{LIST}/{KEY}")["missing"])

        # Who wrote a word of it does not publish it, whatever the right.
        self.save(0, 1, desk=self.supervisor, places=[FIRST[:12], SECOND[:12]])
        self.assertIn("somebody else", self.refused("denied", self.step, self.supervisor, "PUBLISH", 1))
        self.step(self.clerk, "DROP", 1)
        self.save(0, 1, places=[FIRST[:12], SECOND[:12]])
        self.step(self.supervisor, "PUBLISH", 1)
        self.is_shown(SECOND, [KEY], "the second community is told, too")
        lm.wait_until(lambda: self.arrival() == (2, 2), what="both kiosks have it")

        # Another town's community, a day that has passed, and what only the district publishes.
        self.save(0, 0, id="foreign", places=[f"{OTHER}001"])
        self.assertIn("no community of this town", self.refused("invalid", self.step, self.supervisor, "PUBLISH", 1, key="foreign"))
        self.assertIn("draft", self.clerk.get(f"{LIST}/foreign")["row"], "nothing of what was refused is stored")
        self.save(0, 0, id="past", until="2020-01-01")
        self.step(self.supervisor, "PUBLISH", 1, key="past")
        lm.wait_until(lambda: self.arrival("past") == (1, 1), what="it has arrived")
        self.is_shown(FIRST, [KEY], "what is over is not shown")
        for collection in ("catalogue", "calendar", "wording"):
            self.refused("not-found", self.clerk.get, f"/api/v1/publications/{collection}")
        self.refused("not-found", self.d.hub.desk("operator1").get, LIST)

        # Taken back by one person, at once; the audit says who.
        self.refused("denied", self.step, self.clerk, "WITHDRAW", 2)
        self.refused("conflict", self.step, self.supervisor, "WITHDRAW", 1)
        self.assertEqual(3, self.step(self.supervisor, "WITHDRAW", 2)["revision"])
        for place in (FIRST, SECOND):
            self.is_shown(place, [], "it is gone")
        self.refused("exists", self.step, self.supervisor, "WITHDRAW", 3)
        rows = [(row["what"], row["by"], row["second"]) for row in self.supervisor.get("/api/v1/audit")["rows"]]
        self.assertIn(("take-back-notice", "supervisor1", ""), rows)
        self.assertIn(("publish-notice", "supervisor1", "clerk1"), rows)

        # What is stored is what a replay makes, at both.
        for node in (self.d.towns[TOWN], self.d.terminals[FIRST]):
            node.stop()
            self.assertIn("equal", self.d.lmctl("rebuild", node=node))
            node.start().wait_ready()

    def test_a_kiosk_and_a_town_that_are_away(self):
        self.begin(towns=(TOWN, OTHER), sites=2)
        town, second = self.d.towns[TOWN], self.d.terminals[SECOND]
        both = [FIRST[:12], SECOND[:12]]
        second.stop()
        self.save(places=both)
        self.step(self.supervisor, "PUBLISH", 1)
        self.is_shown(FIRST, [KEY], "one kiosk has it")
        lm.wait_until(lambda: self.arrival() == (1, 2), what="one of two")
        self.assertEqual([SECOND], [site["place"] for site in self.clerk.get(f"{LIST}/{KEY}")["missing"]])

        # A town that was started again says what it knows; the kiosk shows what it has while the town is away.
        town.stop()
        self.assertEqual([KEY], self.shown(FIRST))
        second.start().wait_ready()
        self.assertEqual([], self.shown(SECOND))
        self.d.terminals[FIRST].restart()
        self.assertEqual([KEY], self.shown(FIRST), "also after a start, without the town")
        town.start().wait_ready()
        self.clerk, self.supervisor = (town.desk(name) for name in ("clerk1", "supervisor1"))
        self.is_shown(SECOND, [KEY], "it is caught up")
        lm.wait_until(lambda: self.arrival() == (2, 2), what="the town knows anew")

        # Taken back while a kiosk is away: gone as soon as it can hear it. Another town never heard of any of it.
        second.stop()
        self.step(self.supervisor, "WITHDRAW", 1)
        self.is_shown(FIRST, [], "it is gone")
        second.start().wait_ready()
        self.is_shown(SECOND, [], "it is gone there, too")
        others = self.d.towns[OTHER].desk("clerk1").get(LIST)["rows"]
        self.assertEqual(([], []), (others, self.shown(f"{OTHER}001-T1")))


if __name__ == "__main__":
    unittest.TestCase.maxDiff = None
    report.main()
