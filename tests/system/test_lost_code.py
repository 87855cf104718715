#!/usr/bin/env python3
"""A receipt is lost: staff give the request another code. The one before opens nothing new, at the town at once and at its
terminal as soon as that hears of it, and says since when; the new one shows every step, at any terminal of the town."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402

TOWN = "310114106"
FIRST, SECOND = f"{TOWN}001-T1", f"{TOWN}002-T1"
SEEN = {"checked": "IDENTITY_CHECK_ID_CARD", "note": "示例：证件和本人相符"}


class LostCode(lm.Case):
    def look(self, kiosk, code):
        return kiosk.post("/api/v1/receipts/lookup", {"code": code})

    def words(self, kiosk, code, request):
        return [status["text"] for status in kiosk.statuses(code, request)]

    def is_replaced(self, kiosk, code):
        view = self.look(kiosk, code)
        return not view["receipts"] and view["replaced_ms"] != "0"

    def opened(self, district):
        kiosk, desk = district.terminals[FIRST].kiosk(), district.towns[TOWN].desk()
        told = kiosk.submit(next(s for s in kiosk.services() if s["id"] == "home-adaptation"))
        lm.wait_until(lambda: desk.has_case(told["request_id"]), what="the case opens")
        desk.accept(told["request_id"])
        lm.wait_until(lambda: kiosk.statuses(told["code"], told["request_id"]), what="the terminal shows the first step")
        return kiosk, desk, told["request_id"], told["code"]

    def test_while_the_terminal_is_away(self):
        district = self.district(sites=2)
        kiosk, desk, request, old = self.opened(district)
        path = f"/api/v1/cases/{request}/code"
        self.refused("invalid", desk.post, path, {"note": "x"})
        self.refused("invalid", desk.post, path, {"checked": "IDENTITY_CHECK_REPRESENTATIVE"})
        self.refused("not-found", desk.post, f"/api/v1/cases/{'0' * 31}1/code", SEEN)
        other = district.terminals[SECOND].kiosk()
        district.terminals[FIRST].stop()
        new = desk.post(path, SEEN)["code"]
        self.assertNotEqual(old, new)
        desk.grant(request, text="示例：决定以后才有的话。")
        lm.wait_until(lambda: "示例：决定以后才有的话。" in self.words(other, new, request), what="the town shows the new receipt")
        lm.wait_until(lambda: self.is_replaced(other, old), what="the town says that it was replaced")
        district.terminals[FIRST].start().wait_ready()
        kiosk = district.terminals[FIRST].kiosk()
        lm.wait_until(lambda: self.is_replaced(kiosk, old), what="the terminal has dropped its lock")
        lm.wait_until(lambda: "示例：决定以后才有的话。" in self.words(kiosk, new, request), what="the new code shows it here, too")
        self.check_kept(district, desk, request, (old, new))

    def check_kept(self, district, desk, request, codes):
        view = desk.case(request)
        self.assertEqual([("IDENTITY_CHECK_ID_CARD", SEEN["note"], "clerk1")],
                         [(one["checked"], one["note"], one["staff"]) for one in view["new_codes"]])
        for node in district.nodes:
            for code in codes:
                self.assertNotIn(code, node.log.read_text(errors="replace"))
        hub = district.hub.desk()
        lm.wait_until(lambda: hub.has_case(request) and hub.case(request)["new_codes"], what="the district knows")
        self.assertFalse(hub.case(request)["can_give_code"])
        self.assertNotIn(codes[1], json.dumps(hub.case(request)))
        for node in district.nodes:
            node.stop()
            district.lmctl("verify", node=node)
            district.lmctl("rebuild", node=node)

    def test_twice_and_what_the_district_says_then(self):
        district = self.district()
        kiosk, desk, request, old = self.opened(district)
        path = f"/api/v1/cases/{request}/code"
        second = desk.post(path, SEEN)["code"]
        third = desk.post(path, SEEN)["code"]
        for code in (old, second):
            lm.wait_until(lambda code=code: self.is_replaced(kiosk, code), what="codes that were lost are refused")
        desk.act(request, "CASE_ACTION_HAND_OVER", note="示例")
        hub = district.hub.desk()
        lm.wait_until(lambda: hub.has_case(request) and hub.case(request)["row"]["is_ours"], what="the district has it")
        hub.accept(request)
        hub.grant(request, text="示例：区里的话。")
        lm.wait_until(lambda: "示例：区里的话。" in self.words(kiosk, third, request), what="the newest code shows it")
        lm.wait_until(lambda: self.is_replaced(kiosk, old), what="the first code is refused as before")


if __name__ == "__main__":
    report.main()
