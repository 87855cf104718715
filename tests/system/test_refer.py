#!/usr/bin/env python3
"""A case that one town refers to another: decided there, read at the resident's own terminal, sent back, or back by itself;
erased at both; a week without the district, in which a town goes on and what it refers waits in sight; and a town whose disk is
put back while it has such cases."""
import base64
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402
from twin import image_of, put_back  # noqa: E402

HERE, THERE = "310114106", "310114102"
TERMINAL = f"{HERE}001-T1"
PASSWORD = "a long password for two"
SHIFTED = str(lm.BUILD / "tests/lib/libshifted.so")
WEEK_S, DAYS_S = 7 * 86400, 12 * 86400  # in the second three working days are over, whatever holidays there are
OVER, REFER = "CASE_ACTION_HAND_OVER", "CASE_ACTION_REFER"


class Refer(lm.Case):
    def begin(self):
        self.d = self.lay_out(towns=(HERE, THERE))
        self.d.start()
        self.hub, self.here, self.there = self.d.hub, self.d.towns[HERE], self.d.towns[THERE]
        self.log_in()

    def log_in(self):
        self.kiosk = self.d.terminals[TERMINAL].kiosk()
        self.clerk, self.office, self.other = self.here.desk(), self.hub.desk(), self.there.desk()

    def take(self, nth, everywhere=True):
        view = self.kiosk.hand_in(self.kiosk.draft(self.kiosk.service(), nth))
        for desk in (self.clerk, self.office)[:1 + everywhere]:
            lm.wait_until(lambda: desk.has_case(view["request_id"]), what="the case opens")
        return view["request_id"], view["code"]

    def row(self, request, desk):
        row = desk.case(request)["row"]
        return row["referred_to"], row["state"].removeprefix("CASE_STATE_"), row["handed"].removeprefix("HANDED_OVER_")

    def becomes(self, request, *wanted, desks=None):
        for desk in desks or (self.clerk, self.office, self.other):
            lm.wait_until(lambda: desk.has_case(request) and self.row(request, desk) == wanted,
                          what=f"{wanted} at {desk.address}")

    def refer(self, request):
        return self.clerk.act(request, REFER, town=THERE, note="示例：人住在那边")

    def told(self, code, request, *wanted):
        """The receipt at the resident's own terminal ends with these acts, and says who did each."""
        def ends():
            return [(s["action"].removeprefix("CASE_ACTION_"), s["office"]) for s in self.kiosk.statuses(code, request)][-len(wanted):]
        lm.wait_until(lambda: ends() == list(wanted), what=f"the receipt says {wanted}")

    def ask(self, kind, code, request, text):
        version = self.kiosk.statuses(code, request)[-1]["version"]
        self.kiosk.post(f"/api/v1/receipts/{kind}", {"code": code, "request_id": request, "version": version, "text": text})

    def checked(self):
        self.assertEqual(["0"] * 3, [node.status()["quarantined"] for node in (self.hub, self.here, self.there)])
        for node in (self.hub, self.here, self.there):
            node.stop()
            self.assertTrue(json.loads(self.d.lmctl("rebuild", "--json", node=node))["is_equal"], node)

    def test_decided_by_another_town(self):
        self.begin()
        request, code = self.take(0)
        self.clerk.accept(request)
        self.refused("invalid", self.clerk.act, request, REFER, town=THERE)  # without a reason
        self.refused("invalid", self.clerk.act, request, REFER, town=HERE, note="示例")
        self.refused("not-found", self.clerk.act, request, REFER, town="310114105", note="示例")
        self.refused("invalid", self.clerk.act, request, "CASE_ACTION_ASK", town=THERE, text="示例")
        self.refused("denied", self.office.act, self.of_district(), REFER, town=THERE, note="示例")
        self.refer(request)
        self.becomes(request, THERE, "RECEIVED", "WAITS")
        self.assertIn(THERE, self.refused("conflict", self.clerk.act, request, "CASE_ACTION_ACCEPT"))
        self.assertEqual([False, False, True], [d.case(request)["row"]["is_ours"] for d in (self.clerk, self.office, self.other)])
        mine, theirs = self.clerk.case(request), self.other.case(request)
        self.assertEqual(mine["fields"], theirs["fields"])
        self.assertEqual([e["note"] for e in mine["events"]], [e["note"] for e in theirs["events"]])
        self.assertFalse(theirs["can_give_code"])
        self.refused("denied", self.other.post, f"/api/v1/cases/{request}/code",
                     {"checked": "IDENTITY_CHECK_ID_CARD", "note": "示例"})
        self.told(code, request, ("ACCEPT", HERE), ("REFER", HERE))
        self.other.accept(request)
        self.there.kill()
        self.ask("withdraw", *self.second(), "")  # a case beside it, which was not referred
        self.there.start().wait_ready()
        self.other = self.there.desk()
        self.other.act(request, "CASE_ACTION_ASK", text="示例：哪一天方便？")
        self.told(code, request, ("ACCEPT", THERE), ("ASK", THERE))
        self.ask("answer", code, request, "示例：星期三。")
        self.becomes(request, THERE, "ACCEPTED", "NO")
        self.assertEqual(["示例：星期三。"], [a["text"] for a in self.other.case(request)["asks"]])
        self.hub.kill()
        self.other.act(request, "CASE_ACTION_DECIDE", outcome="OUTCOME_REFUSED", text="示例：不符合。", ground="示例", remedy="示例")
        self.hub.start().wait_ready()
        self.office = self.hub.desk()
        self.becomes(request, THERE, "DECIDED", "NO")
        self.told(code, request, ("ANSWER_TAKEN", THERE), ("DECIDE", THERE))
        self.assertEqual("示例：不符合。", self.kiosk.statuses(code, request)[-1]["text"])
        totals = self.office.get("/api/v1/totals")["totals"]
        self.assertEqual([HERE], sorted({t["town"] for t in totals}))
        self.erase(request)
        for desk in (self.clerk, self.office, self.other):
            lm.wait_until(lambda: desk.case(request)["row"]["is_absent"], what="it is erased")
        self.assertEqual([], self.kiosk.lookup(code)["receipts"][0]["statuses"])
        self.checked()

    def of_district(self):
        view = self.kiosk.hand_in(self.kiosk.draft(self.kiosk.service(owner="TIER_DISTRICT"), 7))
        lm.wait_until(lambda: self.office.has_case(view["request_id"]), what="the district's case opens")
        return view["request_id"]

    def second(self):
        request, code = self.take(1)
        self.clerk.accept(request)
        self.told(code, request, ("ACCEPT", HERE))
        return code, request

    def erase(self, request):
        why = {"reason": "示例：本人要求", "ground": "示例：条例"}
        self.there.control.post("/ctl/v1/users", {"name": "second", "password": PASSWORD, "role": "clerk", "by": "test"})
        second = lm.Desk(self.there.http_address).login("second", PASSWORD)
        self.refused("denied", self.clerk.post, "/api/v1/erasures", {"action": "ERASE_ACTION_PROPOSE", "requests": [request], **why})
        act = self.other.post("/api/v1/erasures", {"action": "ERASE_ACTION_PROPOSE", "requests": [request], **why})["act"]
        self.assertTrue(second.post(f"/api/v1/erasures/{act}", {"action": "ERASE_ACTION_CONFIRM"})["is_done"])

    def test_back_again(self):
        self.begin()
        (sent_back, code), (forgotten, _), (gone, withdrawn), (kept, _) = (self.take(nth) for nth in range(4))
        for request in (sent_back, forgotten, gone, kept):
            self.refer(request)
            self.becomes(request, THERE, "RECEIVED", "WAITS")
        row = self.other.case(sent_back)["row"]
        self.assertGreater(int(row["take_by_ms"]), int(row["changed_ms"]) + 3 * 86400 * 1000)
        self.refused("denied", self.other.act, sent_back, REFER, town=HERE, note="示例")
        self.other.act(sent_back, OVER, note="示例：不归我们")
        self.becomes(sent_back, "", "RECEIVED", "CAME_BACK")
        self.told(code, sent_back, ("REFER", HERE), ("HAND_OVER", THERE))
        self.assertIn(HERE, self.refused("conflict", self.other.act, sent_back, "CASE_ACTION_ACCEPT"))
        self.clerk.accept(sent_back)
        self.refer(sent_back)  # once more: the other town knows a part of it
        self.becomes(sent_back, THERE, "RECEIVED", "WAITS")
        self.ask("withdraw", withdrawn, gone, "")
        self.becomes(gone, THERE, "WITHDRAWN", "NO")
        self.other.accept(kept)
        self.becomes(kept, THERE, "ACCEPTED", "NO")
        listed = self.clerk.post("/api/v1/cases/search", {"filter": {"view": "handed"}})["cases"]
        self.assertEqual({sent_back, forgotten, kept}, {row["request_id"] for row in listed})
        for node in (self.hub, self.here, self.there):
            node.environment = {"LD_PRELOAD": SHIFTED, "LM_SHIFT_S": str(DAYS_S)}
            node.restart()
        self.log_in()
        for request in (sent_back, forgotten):
            self.becomes(request, "", "RECEIVED", "CAME_BACK", desks=(self.clerk, self.office))
        event = self.clerk.case(forgotten)["events"][-1]
        self.assertEqual((OVER, THERE, ""), (event["action"], event["place"], event["staff"]))
        self.becomes(kept, THERE, "ACCEPTED", "NO")
        self.checked()

    def test_the_town_that_has_it_is_put_back(self):
        """What it had and did before and after its image comes back from the district, once, and it goes on."""
        self.begin()
        (asked, code), (decided, receipt), (sent_back, _) = (self.take(nth) for nth in range(3))
        self.refer(asked)
        self.becomes(asked, THERE, "RECEIVED", "WAITS")
        self.there.stop()
        image = image_of(self.there, "image")
        self.there.start().wait_ready()
        self.other = self.there.desk()
        for request in (decided, sent_back):
            self.refer(request)
            self.becomes(request, THERE, "RECEIVED", "WAITS")
        for request in (asked, decided):
            self.other.accept(request)
        self.other.act(asked, "CASE_ACTION_ASK", text="示例：哪一天方便？")
        self.other.grant(decided)
        self.other.act(sent_back, OVER, note="示例：不归我们")
        self.becomes(sent_back, "", "RECEIVED", "CAME_BACK")
        self.told(code, asked, ("ACCEPT", THERE), ("ASK", THERE))
        self.told(receipt, decided, ("ACCEPT", THERE), ("DECIDE", THERE))
        self.there.stop()
        self.ask("answer", code, asked, "示例：星期三。")
        put_back(self.there, image)
        self.d.lmctl("return", "begin", node=self.there)
        self.there.start().wait_ready()
        lm.wait_until(lambda: not json.loads(self.d.lmctl("return", "list", "--json", node=self.there))["is_returning"],
                      what="the district has given back what it had")
        self.other = self.there.desk()
        self.becomes(asked, THERE, "ACCEPTED", "NO")
        self.becomes(decided, THERE, "DECIDED", "NO")
        self.becomes(sent_back, "", "RECEIVED", "CAME_BACK")
        self.assertEqual(["示例：星期三。"], [a["text"] for a in self.other.case(asked)["asks"]])
        self.other.grant(asked)
        self.told(code, asked, ("ASK", THERE), ("ANSWER_TAKEN", THERE), ("DECIDE", THERE))
        self.told(receipt, decided, ("REFER", HERE), ("ACCEPT", THERE), ("DECIDE", THERE))
        self.clerk.accept(sent_back)
        self.becomes(sent_back, "", "ACCEPTED", "NO", desks=(self.clerk, self.office))
        self.checked()

    def test_a_week_without_the_district(self):
        """On clocks that go on by a week while the hub is away."""
        self.begin()
        (referred, code), (handed, _) = (self.take(nth) for nth in range(2))
        self.hub.stop()
        self.refer(referred)
        self.clerk.act(handed, OVER, note="示例：区里才能办")
        for node in (self.here, self.there):
            node.environment = {"LD_PRELOAD": SHIFTED, "LM_SHIFT_S": str(WEEK_S)}
            node.restart()
        self.clerk, self.other = self.here.desk(), self.there.desk()
        for request in (referred, handed):
            row = self.clerk.case(request)["row"]
            self.assertEqual((True, "HANDED_OVER_WAITS", "0"), (row["is_on_its_way"], row["handed"], row["take_by_ms"]))
        self.told(code, referred, ("REFER", HERE))
        self.assertFalse(self.other.has_case(referred))
        own, receipt = self.take(2, everywhere=False)
        self.clerk.accept(own)
        self.clerk.grant(own)
        self.told(receipt, own, ("ACCEPT", HERE), ("DECIDE", HERE))
        letter = self.clerk.post(f"/api/v1/cases/{own}/letters", {"kind": "LETTER_KIND_DECIDED"})
        self.assertTrue(base64.b64decode(letter["content"]).startswith(b"%PDF"))
        self.hub.environment = {"LD_PRELOAD": SHIFTED, "LM_SHIFT_S": str(WEEK_S)}
        self.hub.start().wait_ready()
        self.office = self.hub.desk()
        self.becomes(referred, THERE, "RECEIVED", "WAITS")
        self.becomes(handed, "", "RECEIVED", "WAITS", desks=(self.clerk, self.office))
        self.becomes(own, "", "DECIDED", "NO", desks=(self.clerk, self.office))
        for request in (referred, handed):
            lm.wait_until(lambda: not self.clerk.case(request)["row"]["is_on_its_way"], what="the district has it")
        self.assertEqual(1, sum(event["action"] == REFER for event in self.other.case(referred)["events"]))
        self.other.accept(referred)
        self.office.accept(handed)
        self.told(code, referred, ("REFER", HERE), ("ACCEPT", THERE))
        self.checked()


if __name__ == "__main__":
    report.main()
