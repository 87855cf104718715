#!/usr/bin/env python3
"""deploy/demo as somebody meets it: the first start, the whole way of a request, its end, the next start."""
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/lib"))
import lm  # noqa: E402
import report  # noqa: E402

DAEMONS = 7  # hub, two towns, four terminals
PATIENCE_S = 300  # it may have to build first
CASES = 8  # of the month before


def running(folder):
    """Daemons that live on this folder."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue  # it has just ended
        if words[0].rsplit("/")[-1].startswith("lm-") and any(str(folder) in word for word in words):
            found.append(words)
    return found


class Demo(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="lm-demo-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name).resolve() / "demo"
        self.base = lm.wait_until(self.free_base)
        self.addCleanup(lambda: lm.wait_until(lambda: not running(self.folder), what="no daemon is left"))

    @staticmethod
    def free_base():
        base = lm.free_port()
        ports = [base, base + 1, *range(base + 10, base + 14), *range(base + 100, base + 104)]
        return base if base < 32000 and all(lm.port_is_free(port) and lm.hold_port(port) for port in ports[1:]) else None

    def command(self, *words):
        return [TOP / "deploy/demo", "--dir", self.folder, "--port-base", str(self.base), *words]

    def run_it(self, *words):
        return subprocess.run(self.command(*words), env={**os.environ, "LM_BUILD": str(lm.BUILD)}, capture_output=True,
                              text=True, timeout=PATIENCE_S)

    def start(self, cases=0):
        """A demo that has said where its pages are; the process, and what it said."""
        demo = subprocess.Popen(self.command("--cases", str(cases)), env={**os.environ, "LM_BUILD": str(lm.BUILD)}, stdout=subprocess.PIPE,
                                text=True)
        self.addCleanup(demo.stdout.close)
        self.addCleanup(demo.wait)
        self.addCleanup(demo.kill)
        said = []
        for line in demo.stdout:
            said.append(line)
            if "Ctrl-C" in line:
                return demo, "".join(said)
        self.fail(f"it ended with {demo.wait()}:\n{''.join(said)}")

    def stop(self, demo, number):
        demo.send_signal(number)
        self.assertEqual(0, demo.wait(60))
        self.assertEqual([], running(self.folder))

    def keys(self):
        return {path.parent.name: path.read_text() for path in self.folder.glob("*/device.json")}

    def test_one_request_goes_all_the_way(self):
        done = self.run_it("--once")
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        marks = re.findall(r"^  \+ *[\d.]+ s  (\w+(?: \w+)*)", done.stdout, re.MULTILINE)
        self.assertEqual(["saved here", "at the town", "at the district", "accepted by clerk1", "granted by clerk1",
                          "granted"], marks)
        self.assertEqual([], running(self.folder))

    def test_the_next_start_goes_on_where_the_first_stopped(self):
        demo, said = self.start(cases=CASES)
        self.assertIn("演示数据", said)
        self.assertEqual(DAEMONS, len(running(self.folder)))
        self.month_is_past(re.findall(r"(?:town|district) +http://(\S+)/", said), said)
        password = re.search(r"clerk1 +(\S+)", said).group(1)
        terminal, town = re.search(r"terminal +http://(\S+)/", said), re.search(r"town +http://(\S+)/", said)
        view = lm.Kiosk(terminal.group(1)).begin().submit()
        desk = lm.Desk(town.group(1)).login("clerk1", password)
        lm.wait_until(lambda: desk.has_case(view["request_id"]))
        self.stop(demo, signal.SIGINT)
        keys = self.keys()

        demo, said_again = self.start()
        self.assertEqual(keys, self.keys())
        self.assertEqual(re.findall(r"http://\S+", said), re.findall(r"http://\S+", said_again))
        second = re.search(r"clerk2 +(\S+)", said_again).group(1)
        self.assertNotEqual(password, second)
        desk = lm.Desk(town.group(1)).login("clerk2", second)
        self.assertEqual("CASE_STATE_RECEIVED", desk.case(view["request_id"])["row"]["state"])
        self.another_is_refused()
        demo.kill()
        demo.wait()
        lm.wait_until(lambda: not running(self.folder), what="no daemon outlives it, even when it is killed")

        demo, said_again = self.start()
        self.assertEqual(keys, self.keys())
        self.assertEqual(re.findall(r"http://\S+", said), re.findall(r"http://\S+", said_again))
        self.stop(demo, signal.SIGTERM)

    def another_is_refused(self):
        done = self.run_it()
        self.assertEqual(1, done.returncode)
        self.assertIn("runs in", done.stderr)
        self.assertEqual(DAEMONS, len(running(self.folder)))

    def month_is_past(self, addresses, said):
        """The made-up requests of the month before lie where they belong, each with its own day; nothing runs on that clock any more."""
        rows = []
        for address in addresses:
            name = "operator1" if address == addresses[0] else "clerk1"
            desk = lm.Desk(address).login(name, re.search(rf"{name} +(\S+)", said).group(1))
            rows += [row for row in desk.cases("all") if row["is_ours"]]
        self.assertEqual(CASES, len({row["request_id"] for row in rows}))
        days = [(time.time() - int(row["received_ms"]) / 1000) / 86400 for row in rows]
        self.assertGreater(min(days), 0.2)
        self.assertLess(max(days), 32)
        self.assertGreater(max(days) - min(days), 3)
        self.assertNotEqual({"CASE_STATE_RECEIVED"}, {row["state"] for row in rows})
        self.assertFalse((self.folder / "clock").exists())

    def test_a_port_in_use_is_said(self):
        with socket.create_server(("127.0.0.1", self.base + 10)):
            done = self.run_it("--once")
        self.assertEqual(1, done.returncode)
        self.assertIn(f"port {self.base + 10}, which town-310114106 needs, is in use", done.stderr)


if __name__ == "__main__":
    report.main()
