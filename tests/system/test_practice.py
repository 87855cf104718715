#!/usr/bin/env python3
"""Practice: pages are marked, and nothing of it can reach a real district, even if somebody points it there."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402

TOWN = "310114106"
TERMINAL = f"{TOWN}001-T1"


class Practice(lm.Case):
    def point_at(self, node, above, real):
        """Somebody copies the real settings into the configuration for practice."""
        node.stop()
        node.settings.update({"upstream": above.link_address, "upstream_key": above.status()["curve_key"],
                              "authority": real.hub.status()["authority"]})
        node.start()

    def test_a_real_district_takes_nothing_of_it(self):
        practice, real = self.lay_out(), self.district()
        practice.is_practice = True
        practice.start()
        kiosk, town = practice.terminals[TERMINAL].kiosk(), practice.towns[TOWN]
        self.assertTrue(kiosk.state()["is_practice"])
        self.assertTrue(town.desk().get("/api/v1/me")["is_practice"])
        self.assertFalse(real.terminals[TERMINAL].kiosk().state()["is_practice"])
        for one, is_practice in ((practice, True), (real, False)):  # before anybody has logged in
            for node in (one.hub, one.towns[TOWN]):
                self.assertEqual(is_practice, lm.Client(node.http_address).get("/api/v1/front")["is_practice"])
        request = kiosk.submit()["request_id"]
        lm.wait_until(lambda: town.desk().has_case(request), what="it works by itself")
        self.point_at(practice.terminals[TERMINAL], real.towns[TOWN], real)
        self.point_at(town, real.hub, real)
        for node in (practice.terminals[TERMINAL], town):
            lm.wait_until(lambda node=node: self.is_refused(node), what=f"{node} is refused")
        self.assertFalse(real.towns[TOWN].desk().has_case(request))
        self.assertFalse(real.hub.desk().has_case(request))
        known = {device["device"] for device in real.hub.control.get("/ctl/v1/devices")["devices"]}
        self.assertEqual(4, len(known | {practice.hub.status()["device"]}), "hub, town and terminal, and a stranger")

    def is_refused(self, node):
        """Its link says that its key is not known there."""
        try:
            upstream = node.status()["links"]["upstream"]
        except OSError:
            return False
        self.assertFalse(upstream["is_up"])
        return "key" in upstream["text"]


if __name__ == "__main__":
    report.main()
