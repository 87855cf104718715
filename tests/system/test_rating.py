#!/usr/bin/env python3
"""How residents say that it went: rated at the kiosk while the town is away, changed, counted once, refused for what is not finished."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402

TOWN = "310114106"
TERMINAL = f"{TOWN}001-T1"
MANY = 5  # from which on a number is shown


class Rating(lm.Case):
    def begin(self):
        self.d = self.lay_out()
        self.d.start()
        self.town, self.hub = self.d.towns[TOWN], self.d.hub
        self.kiosk, self.clerk, self.office = self.d.terminals[TERMINAL].kiosk(), self.town.desk(), self.hub.desk()

    def take(self, nth):
        view = self.kiosk.hand_in(self.kiosk.draft(self.kiosk.service(), nth))
        lm.wait_until(lambda: self.clerk.has_case(view["request_id"]), what="the case opens")
        self.clerk.accept(view["request_id"])
        return view["request_id"], view["code"]

    def decide(self, request):
        self.clerk.act(request, "CASE_ACTION_DECIDE", outcome="OUTCOME_GRANTED", text="示例：同意。")

    def receipt(self, code, request):
        receipts = self.kiosk.post("/api/v1/receipts/lookup", {"code": code})["receipts"]
        return next(r for r in receipts if r["request_id"] == request)

    def rate(self, code, request, rating, **more):
        statuses = self.receipt(code, request)["statuses"]
        ask = {"code": code, "request_id": request, "version": statuses[-1]["version"], "text": "", "rating": f"RATING_{rating}"}
        return self.kiosk.post("/api/v1/receipts/rate", ask | more)

    def told(self, code, request, rating):
        """The receipt, as soon as this rating counts."""
        def counts():
            r = self.receipt(code, request)
            return not r["is_rating_sent"] and r["rating"] == f"RATING_{rating}" and r
        return lm.wait_until(counts, what=f"{rating} counts")

    def ratings(self, by="town"):
        rows = self.office.get("/api/v1/totals")[f"ratings_by_{by}"]
        return {row["id"]: {name: row[name] for name in ("rated", "very_good", "bad")} for row in rows}

    def test_a_rating(self):
        self.begin()
        request, code = self.take(0)
        lm.wait_until(lambda: self.receipt(code, request)["statuses"], what="it was accepted")
        self.refused("conflict", self.rate, code, request, "GOOD")  # it is not finished
        self.decide(request)
        lm.wait_until(lambda: self.receipt(code, request)["can_rate"], what="it can be rated")
        self.refused("invalid", self.rate, code, request, "NONE")
        self.refused("invalid", self.rate, code, request, "GOOD", text="示例")
        self.refused("conflict", self.rate, code, request, "GOOD", version=1)
        self.refused("not-found", self.rate, code, request, "GOOD", request_id="0" * 31 + "1")

        # Without its town, across a kill; once, however often it is pressed; and it can be objected to all the while.
        self.town.stop()
        self.assertTrue(self.rate(code, request, "BAD")["saved"])
        self.d.terminals[TERMINAL].kill()
        self.d.terminals[TERMINAL].start().wait_ready()
        self.kiosk = self.d.terminals[TERMINAL].kiosk()
        receipt = self.receipt(code, request)
        self.assertEqual((True, False, False, "RATING_BAD"),
                         tuple(receipt[key] for key in ("is_rating_sent", "can_rate", "has_pending_ask", "rating")))
        self.refused("duplicate", self.rate, code, request, "BAD")
        self.refused("duplicate", self.rate, code, request, "GOOD")
        self.town.start().wait_ready()
        self.clerk = self.town.desk()
        self.assertEqual("CASE_ACTION_RATE", self.told(code, request, "BAD")["statuses"][-1]["action"])

        # Changed twice, and no more; the last one counts, once, at both tiers.
        for rating in ("FAIR", "VERY_GOOD"):
            self.rate(code, request, rating)
            self.told(code, request, rating)
        self.refused("conflict", self.rate, code, request, "BAD")
        view = self.clerk.case(request)
        self.assertEqual(("RATING_VERY_GOOD", "CASE_STATE_DECIDED"), (view["rating"], view["row"]["state"]))
        self.assertEqual([("KIND_RATE", f"RATING_{r}", True) for r in ("BAD", "FAIR", "VERY_GOOD")],
                         [(a["kind"], a["rating"], a["is_answered"]) for a in view["asks"]])
        self.refused("invalid", self.clerk.act, request, "CASE_ACTION_RATE")  # nobody rates for a resident
        lm.wait_until(lambda: self.office.case(request)["rating"] == "RATING_VERY_GOOD", what="the district knows")
        few = {"rated": "<5", "very_good": "<5", "bad": "<5"}
        lm.wait_until(lambda: self.ratings() == {TOWN: few, "": few}, what="a rating is counted, and how many is not told")
        service = view["row"]["service"]
        for nth in range(1, MANY):
            other, its_code = self.take(nth)
            self.decide(other)
            lm.wait_until(lambda: self.receipt(its_code, other)["can_rate"], what="it can be rated")
            self.rate(its_code, other, "VERY_GOOD")
        shown = {"rated": "5", "very_good": "5", "bad": "<5"}
        lm.wait_until(lambda: self.ratings() == {TOWN: shown, "": shown}, what="five are told")
        self.assertEqual({service: shown, "": shown}, self.ratings("service"))

        for node in (self.town, self.hub):
            self.assertEqual("0", node.status()["quarantined"])


if __name__ == "__main__":
    report.main()
