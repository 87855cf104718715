#!/usr/bin/env python3
"""What operators see: metrics that Prometheus' own tool accepts, health checks with sentences, systemd's watchdog."""
import http.client
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402

TOWN = "310114106"
SITE = f"{TOWN}001-T1"


def fetch(node, path):
    """Status and body, over TCP as a collector reads it."""
    connection = http.client.HTTPConnection(node.http_address, timeout=20)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def metrics(node):
    """Samples by name with labels, as the text has them."""
    status, text = fetch(node, "/metrics")
    assert status == 200, text
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if not line.startswith("#")}


def checks(node, path="/readyz"):
    status, text = fetch(node, path)
    return status, {check["name"]: check for check in json.loads(text)["checks"]}


class Metrics(lm.Case):
    def check_format(self, text):
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=60)
        self.assertEqual((0, ""), (done.returncode, done.stderr + done.stdout), "promtool finds something")

    def check_trace(self, district, request):
        """One name in the logs of all tiers, from where it was saved to the decision and back."""
        trace = district.lmctl("trace", request).strip()
        self.assertRegex(trace, "^[0-9a-f]{12}$")

        def told(node):
            lines = [json.loads(line) for line in node.log.read_text().splitlines()]
            return [re.sub(r" at tape.*", "", line["text"]) for line in lines if line.get("trace") == trace]

        up = ["REQUEST applied", "CASE ACCEPT applied", "CASE DECIDE applied"]
        wanted = [up, ["REQUEST applied", "CASE ACCEPT written and applied", "STATUS written and applied",
                       "CASE DECIDE written and applied", "STATUS written and applied"],
                  ["REQUEST written and applied", "STATUS applied", "STATUS applied"]]
        lm.wait_until(lambda: [told(node) for node in district.nodes] == wanted,
                      what=f"the trace in all logs; there is {[told(node) for node in district.nodes]}")
        for node in district.nodes:
            self.assertNotIn(request, node.log.read_text())

    def check_rules(self, texts):
        """Rules ask for metrics that exist."""
        rules = (lm.TOP / "deploy/prometheus/alerts.yml").read_text()
        asked = set(re.findall(r"\blm_\w+", rules))
        given = set(re.findall(r"^(lm_\w+)", "".join(texts), re.M))
        self.assertEqual(set(), asked - given)
        self.assertGreater(len(asked), 9)

    def test_promtool_takes_them_and_they_follow_what_happens(self):
        district = self.district()
        hub, town, terminal = district.hub, district.towns[TOWN], district.terminals[SITE]
        kiosk, desk = terminal.kiosk(), town.desk()
        view = kiosk.submit()
        lm.wait_until(lambda: kiosk.marks(view["request_id"])["district"])
        desk.case(view["request_id"])

        lm.wait_until(lambda: "lm_link_clock_ahead_seconds{" in fetch(town, "/metrics")[1], what="a beat tells the time")
        texts = [fetch(node, "/metrics")[1] for node in district.nodes]
        for text in texts:
            self.check_format(text)
            self.assertLess(len(text.splitlines()), 250)
        self.check_rules(texts)
        for secret in (view["code"], view["request_id"], "clerk1", terminal.device()["curve_key"], terminal.device()["fingerprint"]):
            self.assertFalse([text for text in texts if secret in text], "metrics tell of a person, a request or a key")

        seen = metrics(terminal)
        self.assertEqual(1, seen['lm_http_requests_total{method="POST",route="/api/v1/requests",status="200"}'])
        self.assertEqual(seen["lm_commits_total"], seen['lm_commit_duration_seconds_bucket{le="+Inf"}'])
        self.assertGreater(seen["lm_commits_total"], 3)
        self.assertGreater(seen['lm_entries_total{result="applied"}'], 3)
        self.assertGreater(seen["process_resident_memory_bytes"], 1e6)
        self.assertAlmostEqual(time.time(), seen["process_start_time_seconds"], delta=300)
        for direction in ("in", "out"):
            self.assertGreater(seen[f'lm_frame_bytes_total{{direction="{direction}"}}'],
                               seen[f'lm_frames_total{{direction="{direction}"}}'])
        seen = metrics(town)
        self.assertEqual(1, seen['lm_http_requests_total{method="GET",route="/api/v1/cases/:id",status="200"}'])
        self.assertEqual(1, seen["lm_http_sessions"])
        lm.wait_until(lambda: metrics(hub)['lm_links{tier="terminal",state="up"}'] == 1, what="the hub counts the terminal")
        self.assertEqual(1, metrics(hub)[f'lm_link_up{{tier="town",place="{TOWN}"}}'])

        desk.accept(view["request_id"])
        desk.grant(view["request_id"])
        self.check_trace(district, view["request_id"])

        # Without its town the terminal goes on, and tells how long its entries wait.
        town.stop()
        kiosk.submit()
        lm.wait_until(lambda: metrics(terminal).get("lm_oldest_unsent_seconds", 0) > 1, what="unsent entries grow older")
        up = f'lm_link_up{{tier="town",place="{TOWN}"}}'
        lm.wait_until(lambda: metrics(terminal)[up] == 0, what="the terminal sees that it is alone")
        seen = metrics(terminal)
        self.assertGreaterEqual(seen["lm_unsent_entries"], 1)
        status, found = checks(terminal)
        self.assertEqual((200, False), (status, found["upstream"]["is_good"]), "a terminal without its town is ready")

        # A key that the district took back: told at both ends.
        district.lmctl("revoke", SITE, "--reason", "示例：丢失", node=hub)
        town.start().wait_ready()
        lm.wait_until(lambda: checks(terminal)[0] == 503, what="a revoked terminal is not ready")
        self.assertIn("示例：丢失", checks(terminal)[1]["upstream"]["text"])
        self.assertEqual(200, fetch(terminal, "/healthz")[0])

    def test_neighbours_beat_though_nobody_asks(self):
        district = self.district(sites=1)
        hub, town = district.hub, district.towns[TOWN]
        heard = f'lm_link_heard_timestamp_seconds{{tier="town",place="{TOWN}"}}'
        lm.wait_until(lambda: metrics(hub).get(heard) and town.is_connected(), what="the hub hears its town")
        began = time.time()
        time.sleep(12)  # longer than the silence after which a neighbour is lost
        self.assertGreater(metrics(hub)[heard], began + 3)  # the first beat may have been under way already

    def test_a_key_that_is_not_admitted_is_counted(self):
        district = self.lay_out()
        district.make_keys()
        hub, town = district.hub.start().wait_ready(), district.towns[TOWN]
        district.set_upstreams()
        town.start().wait_ready()
        lm.wait_until(lambda: metrics(hub)["lm_keys_refused_total"] >= 1, what="the refused key is counted")
        lm.wait_until(lambda: checks(town)[0] == 503, what="a town that is not admitted is not ready")
        self.assertIn(town.device()["fingerprint"], checks(town)[1]["upstream"]["text"])


class Systemd:
    """The socket that NOTIFY_SOCKET names, and what was sent to it: (seconds, text)."""

    def __init__(self, case, folder):
        self.path = os.path.join(folder, "notify")
        self.heard = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        threading.Thread(target=self._listen, daemon=True).start()
        case.addCleanup(self._socket.close)

    def _listen(self):
        while True:
            try:
                text = self._socket.recv(4096).decode()
            except OSError:
                return
            self.heard.append((time.monotonic(), text))

    def when(self, word):
        return [at for at, text in list(self.heard) if word in text.splitlines()]


class Watchdog(lm.Case):
    PERIOD_S = 4

    def test_ready_alive_stuck_and_over(self):
        district = self.lay_out(towns=())
        hub = district.hub
        systemd = Systemd(self, district.folder)
        stuck = district.folder / "stuck"
        self.addCleanup(stuck.unlink, missing_ok=True)
        hub.environment = {"NOTIFY_SOCKET": systemd.path, "WATCHDOG_USEC": str(self.PERIOD_S * 1000000),
                           "LD_PRELOAD": str(lm.BUILD / "tests/lib/libstuck.so"), "LM_STUCK": str(stuck)}
        hub.start().wait_ready()
        lm.wait_until(lambda: systemd.when("READY=1"), what="systemd hears that it is ready")
        self.assertEqual(200, fetch(hub, "/readyz")[0])
        lm.wait_until(lambda: len(systemd.when("WATCHDOG=1")) >= 3, what="the watchdog is fed")
        fed = systemd.when("WATCHDOG=1")
        self.assertLess(min(b - a for a, b in zip(fed, fed[1:])), self.PERIOD_S / 2)  # a machine may stand still once

        # The disk hangs: the writer with it, the loop does not. Feeding must stop, and the pages still answer.
        began = time.monotonic()
        stuck.touch()
        lm.wait_until(lambda: checks(hub, "/healthz")[0] == 503, what="the writer is called stuck")
        self.assertGreater(time.monotonic() - began, self.PERIOD_S / 2)
        status, found = checks(hub)
        self.assertEqual([503, False, False], [status, found["writer"]["is_good"], found["store"]["is_good"]])
        self.assertRegex(found["writer"]["text"], r"in one turn for \d+ s")
        self.assertGreater(metrics(hub)["lm_writer_turn_age_seconds"], self.PERIOD_S / 2)
        time.sleep(1)  # what was sent before has been heard
        fed = systemd.when("WATCHDOG=1")
        time.sleep(self.PERIOD_S / 2)
        self.assertEqual(fed, systemd.when("WATCHDOG=1"), "the watchdog was fed although nothing can be written")
        lm.wait_until(lambda: [text for _, text in systemd.heard if "STATUS=the writer is in one turn" in text],
                      what="systemd is told what is wrong")

        stuck.unlink()
        lm.wait_until(lambda: checks(hub)[0] == 200, what="it is well again")
        lm.wait_until(lambda: len(systemd.when("WATCHDOG=1")) > len(fed), what="the watchdog is fed again")
        self.assertEqual(1, len(systemd.when("READY=1")))
        hub.stop()
        lm.wait_until(lambda: systemd.when("STOPPING=1"), what="systemd hears that it stops")


if __name__ == "__main__":
    report.main()
