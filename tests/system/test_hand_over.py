#!/usr/bin/env python3
"""A case that is handed over between town and district: accepted, sent back, or back by itself when nobody accepts it."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402

TOWN = "310114106"
TERMINAL = f"{TOWN}001-T1"
DAYS_S = 12 * 86400  # three working days are over
OVER = "CASE_ACTION_HAND_OVER"


class HandOver(lm.Case):
    def begin(self):
        self.d = self.lay_out()
        self.ahead_s = lm.until_monday_s()
        for node in self.d.nodes:
            node.environment = lm.shifted(self.ahead_s)
        self.d.start()
        self.town, self.hub = self.d.towns[TOWN], self.d.hub
        self.kiosk = self.d.terminals[TERMINAL].kiosk()
        self.clerk, self.office = self.town.desk(), self.hub.desk()

    def take(self, nth):
        view = self.kiosk.hand_in(self.kiosk.draft(self.kiosk.service(), nth))
        for desk in (self.clerk, self.office):
            lm.wait_until(lambda: desk.has_case(view["request_id"]), what="the case opens")
        return view["request_id"], view["code"]

    def handed(self, request, desk):
        row = desk.case(request)["row"]
        return row["owner"], row["state"].removeprefix("CASE_STATE_"), row["handed"].removeprefix("HANDED_OVER_")

    def becomes(self, request, *wanted):
        for desk in (self.clerk, self.office):
            lm.wait_until(lambda: self.handed(request, desk) == wanted, what=f"{wanted}, and not {self.handed(request, desk)}")

    def listed(self, desk):
        found = desk.post("/api/v1/cases/search", {"filter": {"view": "handed"}})
        return found["is_ready"] and {row["request_id"] for row in found["cases"]}

    def lists(self, desk, *requests):
        lm.wait_until(lambda: self.listed(desk) == set(requests), what="the list of what is handed over")

    def told(self, request, code, owner):
        """The receipt says who has it now."""
        def newest():
            status = self.kiosk.statuses(code, request)[-1:]
            return status and (status[0]["action"], status[0]["owner"]) == (OVER, owner) and status[0]
        return lm.wait_until(newest, what=f"the receipt says {owner}")

    def test_accepted_or_sent_back(self):
        self.begin()
        request, code = self.take(0)
        self.hub.stop()
        self.refused("invalid", self.clerk.act, request, OVER)  # without a reason
        self.clerk.act(request, OVER, note="示例：区里才能办")
        self.assertEqual(("TIER_DISTRICT", "RECEIVED", "WAITS"), self.handed(request, self.clerk))
        row = self.clerk.case(request)["row"]
        self.assertEqual((True, "0"), (row["is_on_its_way"], row["take_by_ms"]))
        self.lists(self.clerk, request)
        self.assertIn("district", self.refused("conflict", self.clerk.act, request, "CASE_ACTION_ACCEPT"))
        self.told(request, code, "TIER_DISTRICT")

        self.hub.start().wait_ready()
        self.office = self.hub.desk()
        self.becomes(request, "TIER_DISTRICT", "RECEIVED", "WAITS")
        lm.wait_until(lambda: not self.clerk.case(request)["row"]["is_on_its_way"], what="the district has it")
        self.lists(self.office, request)
        row = self.office.case(request)["row"]
        self.assertGreater(int(row["take_by_ms"]), int(row["changed_ms"]) + 3 * 86400 * 1000)
        self.refused("invalid", self.office.act, request, OVER)
        self.office.act(request, OVER, note="示例：街道也能办")
        self.refused("conflict", self.office.act, request, "CASE_ACTION_ACCEPT", version=row["version"])
        self.becomes(request, "TIER_TOWN", "RECEIVED", "CAME_BACK")
        self.told(request, code, "TIER_TOWN")
        for desk in (self.clerk, self.office):
            self.lists(desk)
        self.assertEqual("示例：街道也能办", self.clerk.case(request)["events"][-1]["note"])
        self.clerk.accept(request)
        self.becomes(request, "TIER_TOWN", "ACCEPTED", "NO")

    def test_what_nobody_accepts_goes_back(self):
        self.begin()
        (forgotten, code), (taken, _), (gone, withdrawn), (other, _) = (self.take(nth) for nth in range(4))
        for request in (forgotten, taken, gone, other):
            self.clerk.act(request, OVER, note="示例：区里才能办")
            self.becomes(request, "TIER_DISTRICT", "RECEIVED", "WAITS")
        for request in (taken, other):
            self.office.accept(request)
        version = self.told(gone, withdrawn, "TIER_DISTRICT")["version"]
        self.kiosk.post("/api/v1/receipts/withdraw", {"code": withdrawn, "request_id": gone, "version": version, "text": ""})
        self.becomes(gone, "TIER_DISTRICT", "WITHDRAWN", "NO")
        self.office.act(other, OVER, note="示例：请街道看一下")
        self.becomes(other, "TIER_TOWN", "RECEIVED", "WAITS")
        for node in (self.hub, self.town):
            node.environment = lm.shifted(self.ahead_s + DAYS_S)
            node.restart()
        self.clerk, self.office = self.town.desk(), self.hub.desk()
        self.becomes(forgotten, "TIER_TOWN", "RECEIVED", "CAME_BACK")
        self.becomes(other, "TIER_DISTRICT", "RECEIVED", "CAME_BACK")
        self.becomes(taken, "TIER_DISTRICT", "ACCEPTED", "NO")
        self.becomes(gone, "TIER_DISTRICT", "WITHDRAWN", "NO")
        self.assertIn(forgotten, [row["request_id"] for row in self.clerk.cases("open")])
        event = self.clerk.case(forgotten)["events"][-1]
        self.assertEqual(("CASE_ACTION_HAND_OVER", "TIER_DISTRICT", ""), (event["action"], event["by_tier"], event["staff"]))
        self.told(forgotten, code, "TIER_TOWN")
        self.assertEqual(["0", "0"], [node.status()["quarantined"] for node in (self.hub, self.town)])
        for node in (self.hub, self.town):
            node.stop()
            self.assertTrue(json.loads(self.d.lmctl("rebuild", "--json", node=node))["is_equal"])


if __name__ == "__main__":
    report.main()
