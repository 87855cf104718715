#!/usr/bin/env python3
"""Devices change their keys while they work: nothing is lost, old seals still open, and the old keys are worth nothing."""
import json
import pathlib
import random
import shutil
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import audit  # noqa: E402
import lm  # noqa: E402
import report  # noqa: E402

TOWN = "310114106"
FIRST, SECOND = (f"{TOWN}{site:03}-T1" for site in (1, 2))


class Rotation(lm.Case):
    def rotate(self, node):
        """Asks, and waits until the district has heard that the new keys are in use."""
        before = node.status()["generation"]
        process = node.process.pid
        said = json.loads(node.district.lmctl("rotate", "--json", node=node))
        self.assertEqual(before + 1, said["generation"])
        self.wait_generation(node, before + 1)
        self.assertEqual(said["fingerprint"], node.device()["fingerprint"])
        self.assertEqual(process, node.process.pid)  # to its supervisor it never ended
        self.assertTrue(node.is_running())

    def wait_generation(self, node, generation):
        def is_in_use():
            status = node.status()
            record = self.record(node)
            return (status["generation"] == generation and not status["is_changing_keys"] and
                    record["generation"] == generation and not record["is_passing"])

        lm.wait_until(is_in_use, what=f"{node} uses keys of generation {generation}")

    def record(self, node):
        devices = node.district.hub.control.get("/ctl/v1/devices")["devices"]
        return next(device["record"] for device in devices if device["device"] == node.status()["device"])

    def passes(self, terminal):
        kiosk = terminal.kiosk()
        view = kiosk.submit()
        lm.wait_until(lambda: kiosk.marks(view["request_id"])["district"], what=f"a request of {terminal} is at the district")
        return view["request_id"]

    def can_be_read(self, desk, request):
        lm.wait_until(lambda: desk.has_case(request), what=f"case {request}")
        return any(value for field in desk.case(request)["fields"] for value in field["values"])

    def test_every_tier(self):
        district = self.district(sites=2)
        hub, town, first, second = district.nodes
        devices = [node.status()["device"] for node in district.nodes]
        kiosk = first.kiosk()
        command = kiosk.draft()
        kiosk.hand_in(command)
        old = [command["request_id"], self.passes(second)]
        second.kiosk()
        town.stop()
        behind = second.kiosk().submit()["request_id"]  # signed and sealed with keys that are over when it arrives
        second.stop()
        town.start().wait_ready()
        first.wait_connected()
        for node in (first, town, hub, first):
            self.rotate(node)
            first.wait_connected()
            self.passes(first)
        second.start().wait_ready().wait_connected()
        self.passes(second)
        desk = town.desk()
        for request in (*old, behind):
            self.assertTrue(self.can_be_read(desk, request), request)
        desk.accept(old[0])
        desk.grant(old[0], text="示例决定：同意。")
        kiosk = first.kiosk()
        lm.wait_until(lambda: [s for s in kiosk.statuses(command["code"], old[0]) if s["outcome"] == "OUTCOME_GRANTED"])
        self.rotate(second)
        self.passes(second)
        self.assertEqual(devices, [node.status()["device"] for node in district.nodes])
        lm.wait_until(lambda: all(node.status()["unsent"] == "0" for node in district.nodes))
        audit.alike(district.nodes)
        self.assertRegex(district.lmctl("devices", node=hub), f"{FIRST} .* 2 ")
        for node in district.nodes:
            self.assertTrue(json.loads(district.lmctl("verify", "--json", node=node))["is_good"], node)
        district.stop()
        for node in district.nodes:
            self.assertTrue(json.loads(district.lmctl("verify", "--json", node=node))["is_good"], node)
            self.assertTrue(json.loads(district.lmctl("rebuild", "--json", node=node))["is_equal"], node)

    def test_a_copy_with_the_old_keys(self):
        district = self.district(sites=1)
        first = district.terminals[FIRST]
        self.passes(first)
        first.stop()
        copied = first.folder.with_name("copy")
        shutil.copytree(first.folder, copied)
        first.start().wait_ready().wait_connected()
        self.rotate(first)
        self.passes(first)
        thief = lm.Node(district, lm.TERMINAL, FIRST, lm.free_port())
        thief.folder, thief.control, thief.settings = copied, lm.Client(copied / "ctl.sock"), first.settings
        self.addCleanup(thief.kill)
        thief.start().wait_ready()
        said = lm.wait_until(lambda: thief.status()["links"]["upstream"]["text"])
        self.assertRegex(said, f"{TOWN} refuses this key: this device replaced it by another on 20")
        self.assertFalse(thief.is_connected())
        self.passes(first)
        town = district.towns[TOWN]
        town.restart()  # it knows nothing of before
        first.wait_connected()
        time.sleep(1)
        self.assertFalse(thief.is_connected())
        self.passes(first)
        thief.stop()

    def asks(self, node):
        try:
            node.control.post("/ctl/v1/keys", {})
        except lm.Refused as refusal:
            self.assertEqual("conflict", refusal.code)  # a slow machine: its neighbours have not heard of the last one
            return False
        return True

    def test_dying_on_the_way(self):
        district = self.district(sites=1)
        hub, town, first = district.nodes
        hub.stop()
        asked = [json.loads(district.lmctl("rotate", "--json", node=first)) for _ in range(2)]
        self.assertEqual(asked[0], asked[1])  # asking again makes no other keys
        self.assertTrue(first.status()["is_changing_keys"])
        first.kill()
        first.start().wait_ready()
        self.assertEqual(asked[0], json.loads(district.lmctl("rotate", "--json", node=first)))
        hub.start().wait_ready()
        self.wait_generation(first, 1)
        draw = random.Random(7)
        for node in (first, town, hub):
            generation = node.status()["generation"]
            lm.wait_until(lambda: self.asks(node), what="the change before is over")
            for victim in draw.sample((first, town, hub), 2) + [node]:
                time.sleep(draw.random() * 1.2)
                victim.kill()
                victim.start().wait_ready()
            self.wait_generation(node, generation + 1)
        first.wait_connected()
        self.passes(first)

    def test_refusals(self):
        district = self.district(sites=1)
        first = district.terminals[FIRST]
        district.lmctl("revoke", FIRST, "--reason", "示例", node=district.hub)
        lm.wait_until(lambda: "refuses this key" in first.status()["links"]["upstream"]["text"])
        self.refused("revoked", first.control.post, "/ctl/v1/keys", {})
        self.assertEqual(0, self.record(first)["generation"])
        stranger = district.add_terminal(SECOND)
        stranger.settings.update(first.settings)
        stranger.start().wait_ready()
        self.refused("not-ready", stranger.control.post, "/ctl/v1/keys", {})


if __name__ == "__main__":
    report.main()
