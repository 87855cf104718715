#!/usr/bin/env python3
"""A day's work at a town's desk: what is found in the queue, whose a case is, many at once and undone, who is away and who
stands in, and the note for the next shift."""
import datetime
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402

TOWN = "310114106"
TERMINAL = f"{TOWN}001-T1"
MANY = 60


def today(days=0):
    return str((datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8))) + datetime.timedelta(days=days)).date())


class Console(lm.Case):
    def find(self, desk, query="", **parts):
        return desk.post("/api/v1/cases/search", {"filter": parts, "query": query, "limit": 100})

    def ids(self, desk, query="", **parts):
        return {row["request_id"] for row in self.find(desk, query, **parts)["cases"]}

    def bulk(self, desk, act, rows, **parts):
        items = [{"request_id": row["request_id"], "version": row["version"], **row.get("more", {})} for row in rows]
        return desk.post("/api/v1/cases/bulk", {"act": f"BULK_ACT_{act}", "items": items, **parts})

    def write(self, desk, act, **parts):
        return desk.post("/api/v1/work", {"act": f"DESK_ACT_{act}", **parts})

    def work_of(self, view, staff):
        return next(row for row in view["rows"] if row["staff"] == staff)

    def test_a_day(self):
        district = self.district(sites=2)
        town = district.towns[TOWN]
        clerk, other = town.desk("clerk1"), town.desk("clerk2")
        kiosk, second = (district.terminals[f"{TOWN}00{n}-T1"].kiosk() for n in (1, 2))
        owned = [service for service in kiosk.services() if service["owner"] == "TIER_TOWN" and not service.get("owner_rules")]
        a_service, b_service = owned[0], owned[1]
        first = kiosk.draft(a_service)
        name = next(field["id"] for field in a_service["fields"] if field.get("meaning") == "FIELD_MEANING_APPLICANT_NAME")
        for value in first["values"]:
            if value["field"] == name:
                value["values"] = ["欧阳示例"]
        first["access"] = ["ACCESS_NEED_SIGN_LANGUAGE", "ACCESS_NEED_TEXT_ONLY"]
        sent = [kiosk.hand_in(first)] + [kiosk.submit(a_service, n) for n in range(1, MANY)] + [second.submit(b_service)]
        wanted = {view["request_id"] for view in sent}
        lm.wait_until(lambda: self.find(clerk)["matches"] == str(len(wanted)), what="every case is in the queue")
        one, last = sent[0]["request_id"], sent[-1]["request_id"]

        with self.subTest("filters, and pages behind each other"):
            self.assertEqual({last}, self.ids(clerk, service=b_service["id"]))
            self.assertEqual({last}, self.ids(clerk, place=f"{TOWN}002"))
            self.assertEqual(set(), self.ids(clerk, state="CASE_STATE_ASKED"))
            self.assertEqual(set(), self.ids(clerk, left="CASE_LEFT_OVERDUE"))
            self.assertEqual(set(), self.ids(clerk, access="ACCESS_NEED_BRAILLE"))
            self.assertEqual({one}, self.ids(clerk, access="ACCESS_NEED_SIGN_LANGUAGE"))
            [row] = self.find(clerk, access="ACCESS_NEED_TEXT_ONLY")["cases"]
            self.assertEqual(first["access"], row["access"])
            rows, after = [], ""
            while True:
                page = clerk.post("/api/v1/cases/search", {"filter": {}, "limit": 7, "after": after})
                rows, after = rows + page["cases"], page["next"]
                if not after:
                    break
            self.assertEqual([row["request_id"] for row in clerk.cases()], [row["request_id"] for row in rows])
            self.refused("invalid", clerk.post, "/api/v1/cases/search", {"filter": {}, "after": "zz"})

        with self.subTest("one box: name, initials, last four, receipt code"):
            phone = next(value["values"][0] for value in sent and kiosk.draft(b_service)["values"]
                         if value["values"] and value["values"][0].isdigit() and len(value["values"][0]) == 11)
            for query in ("欧阳", "oysl", sent[0]["code"]):
                self.assertEqual({one}, self.ids(clerk, query), query)
            self.assertIn(last, self.ids(clerk, phone[-4:]))
            self.assertEqual(set(), self.ids(clerk, "没有这个人"))

        rows = clerk.cases()
        with self.subTest("a preview writes nothing, and says who would be refused"):
            stale = dict(rows[0], version=rows[0]["version"] + 7)
            view = self.bulk(clerk, "ASSIGN", [stale] + rows[1:], staff="clerk1", is_preview=True)
            self.assertEqual((len(rows) - 1, "conflict"), (view["done"], view["results"][0]["code"]))
            self.assertEqual(set(), self.ids(clerk, staff="clerk1"))
            self.assertEqual(len(rows), len(self.ids(clerk, staff="-")))

        with self.subTest("sixty at once, and back"):
            self.bulk(clerk, "ASSIGN", rows[:1], staff="clerk2")
            view = self.bulk(clerk, "ASSIGN", rows, staff="clerk1")
            self.assertEqual(len(rows), view["done"])
            lm.wait_until(lambda: len(self.ids(clerk, staff="clerk1")) == len(rows))
            back = [dict(row, more={"staff": result["staff_before"]}) for row, result in zip(rows, view["results"])]
            self.assertEqual(len(rows), self.bulk(clerk, "ASSIGN", back, is_undo=True)["done"])
            lm.wait_until(lambda: self.ids(clerk, staff="clerk2") == {rows[0]["request_id"]})
            self.assertEqual("clerk2", clerk.case(rows[0]["request_id"])["row"]["staff"])
            view = self.bulk(clerk, "ASSIGN", rows[:2], staff="nobody")
            self.assertEqual((0, "invalid"), (view["done"], view["results"][0]["code"]))

        with self.subTest("accepted and asked together: each case has its event, each receipt its message"):
            view = self.bulk(clerk, "ACCEPT", rows)
            self.assertEqual(len(rows), view["done"])
            now = clerk.cases()
            self.assertEqual(0, self.bulk(clerk, "ACCEPT", now)["done"], "once")
            self.refused("invalid", self.bulk, clerk, "ASK", now)
            view = self.bulk(clerk, "ASK", now[:50], text="请带身份证。")
            self.assertEqual(50, view["done"])
            events = clerk.case(now[0]["request_id"])["events"]
            self.assertEqual([("CASE_ACTION_ACCEPT", ""), ("CASE_ACTION_ASK", "请带身份证。")],
                             [(event["action"], event["text"]) for event in events])
            lm.wait_until(lambda: len(kiosk.statuses(sent[0]["code"], one)) == 2, what="the kiosk shows both")
            self.refused("invalid", self.bulk, clerk, "ASK", now * 2, text="?")

        with self.subTest("who has how much; somebody is away, and the deputy sees it"):
            self.assertEqual(1, int(self.work_of(clerk.get("/api/v1/work"), "clerk2")["open"]))
            leave = {"staff": "clerk2", "from": today(-1), "until": today(3), "deputy": "clerk1"}
            self.refused("denied", self.write, clerk, "SET_LEAVE", leave=leave)
            self.refused("invalid", self.write, other, "SET_LEAVE", leave=dict(leave, deputy="clerk2"))
            view = self.write(other, "SET_LEAVE", leave=leave)
            self.assertTrue(self.work_of(view, "clerk2")["is_away"])
            self.assertEqual({rows[0]["request_id"]}, self.ids(clerk, staff="clerk1"), "the deputy's list has it")
            self.write(other, "END_LEAVE", leave={"staff": "clerk2"})
            self.assertEqual(set(), self.ids(clerk, staff="clerk1"))

        with self.subTest("a note that the next shift ticks"):
            note = self.write(clerk, "WRITE_NOTE", text="示例：二号窗口的打印机缺纸。")["notes"][0]
            self.assertEqual(("clerk1", []), (note["by"], note["ticks"]))
            for _ in range(2):
                self.write(other, "TICK_NOTE", note=note["note"])
            self.assertEqual(["clerk2"], [tick["by"] for tick in clerk.get("/api/v1/work")["notes"][0]["ticks"]])
            self.refused("not-found", self.write, other, "TICK_NOTE", note="1")

        with self.subTest("a view is kept for who saved it"):
            saved = {"id": "v1", "name": "我的", "filter": {"view": "open", "staff": "clerk1", "left": "CASE_LEFT_DAY"}}
            self.write(clerk, "KEEP_VIEW", view=saved)
            self.assertEqual([], other.get("/api/v1/work")["views"])
            town.restart()
            clerk, other = town.desk("clerk1"), town.desk("clerk2")
            view = clerk.get("/api/v1/work")["views"][0]
            self.assertEqual(("我的", "CASE_LEFT_DAY"), (view["name"], view["filter"]["left"]))
            lm.wait_until(lambda: self.find(clerk)["is_ready"], what="the index is whole again")
            self.assertEqual({one}, self.ids(clerk, "oysl"))

        with self.subTest("a resident is to be called back: the day and hours, each try, and what came of it"):
            path = f"/api/v1/cases/{one}/contacts"
            one_day, next_day = today(1), today(2)
            told = {"way": "CONTACT_WAY_CALL", "text": "示例：问什么时候方便上门。", "day": next_day, "from": "09:00", "until": "11:30",
                    "is_call_back": True}
            self.refused("invalid", clerk.post, path, {"act": "CONTACT_ACT_ADD", "contact": dict(told, day="morgen")})
            self.refused("invalid", clerk.post, path, {"act": "CONTACT_ACT_ADD", "contact": dict(told, until="08:00")})
            self.refused("not-found", clerk.post, f"/api/v1/cases/{'0' * 32}/contacts", {"act": "CONTACT_ACT_ADD", "contact": told})
            added = clerk.post(path, {"act": "CONTACT_ACT_ADD", "contact": told})["contacts"][0]
            earlier = dict(told, day=one_day, way="CONTACT_WAY_SMS")
            clerk.post(f"/api/v1/cases/{last}/contacts", {"act": "CONTACT_ACT_ADD", "contact": earlier})
            to_do = clerk.get("/api/v1/contacts")["contacts"]
            self.assertEqual([last, one], [view["row"]["request_id"] for view in to_do], "the first day first")
            self.assertTrue(to_do[0]["phone"], "the number that the resident gave")
            tried = {"act": "CONTACT_ACT_TRY", "contact": {"contact": added["contact"]["contact"]}}
            clerk.post(path, dict(tried, outcome="CONTACT_OUTCOME_NOT_REACHED", note="没有人接"))
            done = other.post(path, dict(tried, outcome="CONTACT_OUTCOME_REACHED"))["contacts"][0]
            self.assertEqual([("CONTACT_OUTCOME_NOT_REACHED", "没有人接", "clerk1"), ("CONTACT_OUTCOME_REACHED", "", "clerk2")],
                             [(one_try["outcome"], one_try["note"], one_try["by"]) for one_try in done["contact"]["tries"]])
            self.assertTrue(done["is_done"])
            self.refused("closed", clerk.post, path, dict(tried, outcome="CONTACT_OUTCOME_REACHED"))
            self.assertEqual([last], [view["row"]["request_id"] for view in clerk.get("/api/v1/contacts")["contacts"]])

        with self.subTest("a kiosk rings, somebody takes it, and the kiosk is told"):
            place = f"{TOWN}001-T1"
            district.terminals[place].wait_connected()
            rings = lambda: clerk.get("/api/v1/rings")["rings"]  # noqa: E731
            self.assertEqual([], rings())
            waiting = lambda desk: desk.get("/api/v1/rings/waiting")["waiting"]  # noqa: E731
            self.refused("login", waiting, lm.Desk(town.http_address))
            other.post("/api/v1/lock")
            self.refused("locked", other.get, "/api/v1/rings")
            self.assertEqual(0, waiting(other))
            self.assertEqual("RING_STATE_RINGS", kiosk.post("/api/v1/ring")["state"])
            ring = rings()[0]
            self.assertEqual(1, waiting(other), "a locked desk rings on")
            self.assertEqual({"waiting": 1}, other.get("/api/v1/rings/waiting"), "and is told nothing else")
            self.assertEqual((place, ""), (ring["place"], ring["taken_by"]))
            self.assertEqual("RING_STATE_RINGS", kiosk.post("/api/v1/ring")["state"])
            self.assertEqual(1, len(rings()), "said again, it is one call")
            clerk.post(f"/api/v1/rings/{ring['ring']}")
            self.assertEqual(0, waiting(other), "somebody sees to it")
            self.refused("conflict", town.desk("clerk2").post, f"/api/v1/rings/{ring['ring']}")
            self.assertEqual("RING_STATE_TAKEN", kiosk.post("/api/v1/ring")["state"])
            self.assertEqual("RING_STATE_NONE", kiosk.post("/api/v1/ring", {"is_over": True})["state"])
            self.assertEqual([], rings())
            self.refused("not-found", clerk.post, f"/api/v1/rings/{ring['ring']}")
            kiosk.post("/api/v1/ring")
            lm.wait_until(lambda: rings() == [], what="a kiosk that is silent rings no more")
            town.stop()
            self.assertEqual("RING_STATE_UNREACHABLE", second.post("/api/v1/ring")["state"])

        with self.subTest("what should be done by now stands in a list of its own, until it is done"):
            clock = town.folder / "clock"

            def set_clock(when_s):  # whole, for the daemon reads it at any time
                clock.with_suffix(".new").write_text(str(int(when_s - time.time())))
                clock.with_suffix(".new").rename(clock)

            set_clock(lm.A_MONDAY_S)
            town.environment = {"LD_PRELOAD": str(lm.BUILD / "tests/lib/libmachine.so"), "LM_TEST_CLOCK": str(clock),
                                "ASAN_OPTIONS": "verify_asan_link_order=0"}
            town.start().wait_ready()
            clerk = town.desk("clerk1")
            late = kiosk.submit(kiosk.service("legal-advice"), MANY)["request_id"]
            lm.wait_until(lambda: clerk.has_case(late))
            view = lambda: {row["request_id"] for row in clerk.cases("overdue")}  # noqa: E731
            lists = lambda: (view(), self.ids(clerk, left="CASE_LEFT_OVERDUE"))  # noqa: E731
            self.assertEqual("CASE_TERM_RUNS", clerk.case(late)["row"]["term"])
            self.assertEqual((set(), set()), lists())
            set_clock(lm.A_MONDAY_S + 30 * 86400)
            lm.wait_until(lambda: lists() == ({late}, {late}), what="both lists have it")
            self.assertEqual(1, int(self.work_of(clerk.get("/api/v1/work"), "")["overdue"]))
            clerk.accept(late)
            clerk.grant(late, text="示例：办好了。")
            lm.wait_until(lambda: lists() == (set(), set()), what="neither has it any more")
            town.stop()
            town.environment = {}
            town.start().wait_ready()

        district.stop()
        for node in (district.hub, town):
            for command in ("verify", "rebuild"):
                district.lmctl(command, node=node)  # a replay comes to the same rows


if __name__ == "__main__":
    report.main()
