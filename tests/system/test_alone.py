#!/usr/bin/env python3
"""Every tier works alone: a town without its district, a terminal without its town."""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import audit  # noqa: E402
import lm  # noqa: E402
import report  # noqa: E402

TOWN = "310114106"
FIRST, SECOND = f"{TOWN}001-T1", f"{TOWN}002-T1"
REQUESTS = 10000
# How many of them come through the page's own path. Each costs Argon2id, about 50 ms of a core, so the others are handed
# to the terminal's code with receipts that are ready. LM_HTTP_REQUESTS=10000 sends all of them through the page's path.
HTTP_REQUESTS = int(os.environ.get("LM_HTTP_REQUESTS", "64"))
UNDER_WAY = 2048  # entries of one stream that may be on their way at once (docs/SYNC.md): nobody passes those
CLIENTS = 8
PATIENCE_S = 120 + HTTP_REQUESTS // 10


class TownAlone(lm.Case):
    def actions(self, kiosk, view):
        return [status["action"] for status in kiosk.statuses(view["code"], view["request_id"])]

    def test_it_receives_decides_and_answers(self):
        district = self.district()
        hub, town, terminal = district.hub, district.towns[TOWN], district.terminals[FIRST]
        kiosk, desk = terminal.kiosk(), town.desk()
        hub.stop()
        lm.wait_until(lambda: not town.is_connected(), what="the town sees that it is alone")

        granted, answered = kiosk.submit(nth=1), kiosk.submit(nth=2)
        lm.wait_until(lambda: desk.has_case(granted["request_id"]) and desk.has_case(answered["request_id"]))
        desk.accept(granted["request_id"])
        desk.grant(granted["request_id"], text="示例：没有区里也能办。")
        status = lm.wait_until(lambda: kiosk.statuses(granted["code"], granted["request_id"])[1:])[0]
        self.assertEqual(["OUTCOME_GRANTED", "示例：没有区里也能办。", True],
                         [status["outcome"], status["text"], status["is_closing"]])

        # A question, its answer, and the decision, with a new start of the town between them: alone as before.
        request = answered["request_id"]
        desk.accept(request)
        desk.act(request, "CASE_ACTION_ASK", text="示例：哪一天方便？")
        question = lm.wait_until(lambda: kiosk.statuses(answered["code"], request)[1:])[0]
        town.restart()
        lm.wait_until(terminal.is_connected)
        kiosk.post("/api/v1/receipts/answer", {"code": answered["code"], "request_id": request,
                                               "version": question["version"], "text": "示例：星期三。"})
        desk = town.desk()
        lm.wait_until(lambda: desk.case(request)["row"]["state"] == "CASE_STATE_ACCEPTED")
        desk.grant(request)
        lm.wait_until(lambda: "CASE_ACTION_DECIDE" in self.actions(kiosk, answered))
        self.assertEqual({"saved": True, "town": True, "district": False}, kiosk.marks(request))

        hub.start().wait_ready()
        for view in (granted, answered):
            lm.wait_until(lambda: kiosk.marks(view["request_id"])["district"], what="the district has it")
        lm.wait_until(lambda: town.status()["unsent"] == "0" and terminal.status()["unsent"] == "0")
        office = hub.desk()
        for view in (granted, answered):
            self.assertEqual(desk.case(view["request_id"])["row"]["version"],
                             office.case(view["request_id"])["row"]["version"])
            self.assertEqual("CASE_STATE_DECIDED", office.case(view["request_id"])["row"]["state"])
        self.assertEqual([("2", "2", "0")], [(row["received"], row["granted"], row["open"])
                                             for row in office.get("/api/v1/totals")["totals"]])
        audit.alike(district.nodes)


class TerminalAlone(lm.Case):
    def through_the_page(self, terminal, count):
        """Several residents at once, each as the page does it; every one must be told that it is saved."""
        terminal.kiosk()
        service = lm.Kiosk(terminal.http_address).begin().service()

        def one_resident(nth):
            kiosk = lm.Kiosk(terminal.http_address, timeout=PATIENCE_S).begin()
            return [kiosk.submit(service, nth=nth + CLIENTS * i) for i in range(count // CLIENTS)]

        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            views = [view for some in pool.map(one_resident, range(CLIENTS)) for view in some]
        self.assertTrue(all(view["is_saved"] and not view["was_saved_before"] for view in views))
        self.assertEqual(count, len({view["request_id"] for view in views}))
        self.assertTrue(all(view["marks"] == {"saved": True, "town": False, "district": False} for view in views))
        return views

    def with_ready_receipts(self, terminal, count):
        """The terminal's own code on the terminal's own folder, driven by bench_terminal instead of by HTTP."""
        service = terminal.kiosk().service()
        form = {"service": service["id"], "revision": service["revision"], "values": lm.answers(service), "language": "zh-CN"}
        path = terminal.folder / "form.json"
        path.write_text(json.dumps(form))
        terminal.stop()
        done = subprocess.run([lm.BUILD / "bench_terminal", terminal.folder / "daemon.conf", path], input=f"fill {count}\nquit\n",
                              capture_output=True, text=True, timeout=PATIENCE_S)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(count, json.loads(done.stdout.splitlines()[0]).get("requests"), done.stdout)

    def test_it_takes_ten_thousand_and_a_new_one_passes_ahead(self):
        district = self.lay_out(sites=2, map_size="192M")
        district.start()
        hub, town = district.hub, district.towns[TOWN]
        full, other = district.terminals[FIRST], district.terminals[SECOND]
        full.kiosk()
        town.stop()
        lm.wait_until(lambda: not full.is_connected(), what="the terminal sees that it is alone")

        taken = self.through_the_page(full, HTTP_REQUESTS)
        if HTTP_REQUESTS < REQUESTS:
            self.with_ready_receipts(full, REQUESTS - HTTP_REQUESTS)
            full.start().wait_ready()
        state = full.kiosk().state()
        self.assertTrue(state["can_take_requests"] and not state["is_connected"], state)
        self.assertGreaterEqual(int(state["waiting"]), REQUESTS)
        taken.append(full.kiosk().submit())  # after all of them as before

        # The town comes back and takes the backlog; to the district it still has to send all of it.
        hub.stop()
        town.start().wait_ready()
        for terminal in (full, other):
            lm.wait_until(lambda: terminal.is_connected() and terminal.status()["unsent"] == "0", PATIENCE_S,
                          f"the town has all of {terminal}")
        kiosk = other.kiosk()
        new = kiosk.submit()
        lm.wait_until(lambda: kiosk.marks(new["request_id"])["town"])
        self.assertGreater(int(town.status()["unsent"]), 0)
        hub.start().wait_ready()
        lm.wait_until(lambda: kiosk.marks(new["request_id"])["district"], PATIENCE_S, "the district has the new request")
        lm.wait_until(lambda: full.kiosk().marks(taken[-1]["request_id"])["district"], PATIENCE_S, "the backlog is drained")

        requests = [entry for entry in audit.Tape(hub).entries if entry.kind == "KIND_REQUEST"]
        self.assertEqual(REQUESTS + 2, len({entry.request for entry in requests}))
        self.assertEqual(REQUESTS + 2, len(requests))
        self.assertLessEqual({view["request_id"] for view in taken}, {entry.request for entry in requests})
        behind = [entry for entry in requests if entry.place == FIRST]
        ahead = next(entry for entry in requests if entry.request == new["request_id"])
        before = sum(entry.position < ahead.position for entry in behind)
        print(f"the district took the new request after {before} of the backlog of {len(behind)}")
        self.assertLess(before, UNDER_WAY + UNDER_WAY // 2, "the new request waited for the backlog")


if __name__ == "__main__":
    report.main()
