#!/usr/bin/env python3
"""Reports to the city: counted of a month that is over, frozen when they are sent, corrected with a reason; what leaves as a file
hides what is small, says who took it, and stands in the audit."""
import base64
import csv
import datetime
import io
import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402

TOWN = "310114106"
SERVICE = "home-adaptation"
DAYS_S = 40 * 86400  # until the month is over
TENTH = 10  # of the month, the day on which it begins, so that no month ends before it should
SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))
WHY = "=示例：一件重新办理"


class Reports(lm.Case):
    def hand_in(self, district):
        """Six requests, of which the town decides one; the first of them."""
        kiosk, clerk, desk = district.terminals[f"{TOWN}001-T1"].kiosk(), district.towns[TOWN].desk(), district.hub.desk()
        requests = [kiosk.submit(kiosk.service(SERVICE))["request_id"] for _ in range(6)]
        lm.wait_until(lambda: all(clerk.has_case(one) for one in requests), what="the cases open")
        clerk.accept(requests[0])
        clerk.act(requests[0], "CASE_ACTION_DECIDE", outcome="OUTCOME_REFUSED", text="示例", ground="示例依据", remedy="示例救济")
        lm.wait_until(lambda: all(desk.has_case(one) for one in requests) and
                      desk.case(requests[0])["row"]["state"] == "CASE_STATE_DECIDED", what="the district knows")
        return requests[0]

    def file(self, desk, path, kind, **more):
        view = desk.post(f"{path}/file", {"format": f"REPORT_FORMAT_{kind}", "language": "zh-CN"} | more)
        self.assertEqual({"CSV": "text/csv", "PDF": "application/pdf"}[kind], view["type"])
        return base64.b64decode(view["content"])

    def table(self, content):
        self.assertTrue(content.startswith(b"\xef\xbb\xbf"))
        self.assertNotIn(b"\n", content.replace(b"\r\n", b""))
        return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))

    def test_a_month(self):
        district = self.lay_out()
        now = datetime.datetime.now(SHANGHAI)
        ahead_s = (TENTH - now.day) * 86400
        hub = district.hub
        hub.environment = lm.shifted(ahead_s)
        district.start()
        decided = self.hand_in(district)
        desk = hub.desk()
        month = f"{now:%Y-%m}"
        path = f"/api/v1/reports/month-towns/{month}"
        self.assertIn("not over yet", self.refused("conflict", desk.get, path))
        hub.environment = lm.shifted(ahead_s + DAYS_S)
        hub.restart()
        desk = hub.desk()
        listed = next(one for one in desk.get("/api/v1/reports")["reports"] if one["definition"]["id"] == "month-towns")
        self.assertIn(month, [one["period"] for one in listed["periods"]])
        self.refused("not-found", desk.get, f"/api/v1/reports/nothing/{month}")
        self.refused("invalid", desk.get, "/api/v1/reports/month-towns/2026-Q3")
        self.sent(desk, path)
        self.reopen(district, desk, decided)
        self.corrected(desk, path)
        self.told(hub, month)
        hub.stop()
        for act in ("rebuild", "verify"):
            district.lmctl(act, node=hub)

    def sent(self, desk, path):
        view = desk.get(path)
        counts = dict(zip((one["measure"] for one in view["measures"]), view["lines"][0]["row"]["counts"]))
        self.assertEqual([TOWN], [line["row"]["key"] for line in view["lines"]])
        self.assertEqual({"RECEIVED": "6", "DECIDED": "1", "WITHDRAWN": "0", "OPEN": "5", "OVERDUE": "0"},
                         {name.removeprefix("REPORT_MEASURE_"): n for name, n in counts.items()})
        self.refused("not-found", self.file, desk, path, "CSV")  # nothing leaves that was not sent
        self.refused("conflict", desk.post, path, {"hash": "00" * 32, "reason": ""})
        desk.post(path, {"hash": view["hash"], "reason": ""})
        self.assertIn("sent already", self.refused("conflict", desk.post, path, {"hash": view["hash"], "reason": WHY}))
        rows = self.table(self.file(desk, path, "CSV"))
        self.assertEqual(["", "收到", "已决定", "撤回", "未办结", "未办结且超期"], next(row for row in rows if len(row) > 2))
        self.assertIn(["合计", "6", "<5", "<5", "5", "<5"], rows)
        self.assertTrue(any(row[0] == "导出人和时间" and row[1].startswith("operator1, ") for row in rows), rows)

    def reopen(self, district, desk, request):
        town = district.towns[TOWN]
        town.control.post("/ctl/v1/users", {"name": "lead", "password": "trial-supervisor", "role": "supervisor", "by": "test"})
        lm.Desk(town.http_address).login("lead", "trial-supervisor").act(request, "CASE_ACTION_REOPEN", note="示例：材料有误", text="示例")
        lm.wait_until(lambda: desk.case(request)["row"]["state"] != "CASE_STATE_DECIDED", what="the district knows")

    def corrected(self, desk, path):
        view = desk.get(path)
        self.assertTrue(view["is_changed"])
        self.assertEqual(("6", "5"), (view["lines"][0]["row"]["counts"][3], view["lines"][0]["before"][3]))
        self.assertIn("says why", self.refused("invalid", desk.post, path, {"hash": view["hash"], "reason": ""}))
        desk.post(path, {"hash": view["hash"], "reason": WHY})
        self.assertEqual([(2, WHY), (1, "")], [(one["version"], one["reason"]) for one in desk.get(path)["sent"]])
        rows = self.table(self.file(desk, path, "CSV"))
        self.assertIn(["合计", "6", "<5", "<5", "6", "<5"], rows)
        self.assertIn(["合计", "0", "*", "*", "5 → 6", "*"], rows)
        self.assertIn(["更正原因", f"'{WHY}"], rows)  # no formula
        self.assertIn(["合计", "6", "<5", "<5", "5", "<5"], self.table(self.file(desk, path, "CSV", version=1)))
        pdf = self.file(desk, path, "PDF")
        text = subprocess.run(["pdftotext", "-layout", "-", "-"], input=pdf, capture_output=True, check=True).stdout.decode().replace(" ", "")
        for words in ("各街镇办件月报", "<5", "5→6", "operator1", WHY):
            self.assertIn(words, text)

    def told(self, hub, month):
        hub.control.post("/ctl/v1/users", {"name": "reader", "password": "trial-auditor", "role": "auditor", "by": "test"})
        auditor = lm.Desk(hub.http_address).login("reader", "trial-auditor")
        self.assertEqual(2, auditor.get(f"/api/v1/reports/month-towns/{month}")["sent"][0]["version"])
        told = [(row["what"], row["by"], row["about"], row["reason"]) for row in auditor.get("/api/v1/audit")["rows"]
                if row["what"].startswith("report")]
        about = f"month-towns {month}"
        self.assertEqual([("report-take", "operator1", f"{about} 2 PDF", ""), ("report-take", "operator1", f"{about} 1 CSV", ""),
                          ("report-take", "operator1", f"{about} 2 CSV", ""), ("report-send", "operator1", f"{about} 2", WHY),
                          ("report-take", "operator1", f"{about} 1 CSV", ""), ("report-send", "operator1", f"{about} 1", "")], told)

    def test_a_file_that_is_wrong_is_named(self):
        wrong = json.loads((lm.TOP / "deploy/reports.json").read_text())
        wrong["reports"][1]["measures"].remove("REPORT_MEASURE_REFUSED")
        self.assertIn("reports[1].measures: with what was decided stand all three", self.why_hub_ends("reports", wrong))


if __name__ == "__main__":
    report.main()
