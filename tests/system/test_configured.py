#!/usr/bin/env python3
"""Configurations: samples that have every key, and a check that tells all that is wrong before anything runs."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402

TIERS = {"lm-hub": "hub", "lm-subcenter": "subcenter", "lm-terminal": "terminal"}
KEY = "00112233445566778899aabbccddeeff" * 2


def run(program, *words):
    done = subprocess.run([lm.BUILD / program, *map(str, words)], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


class Samples(unittest.TestCase):
    def test_every_key_is_in_the_sample_file(self):
        for program, name in TIERS.items():
            path = lm.TOP / "deploy/config" / f"{name}.conf"
            text = path.read_text()
            keys = re.findall(r"^  (\w+) ", run(program, "--help")[1].partition("Keys of the configuration:")[2], re.M)
            self.assertGreater(len(keys), 8)
            self.assertEqual(keys, re.findall(r"^#?(\w+) =", text, re.M), path)
            self.assertEqual(run(program, "--sample-config")[1], text, f"{path} is not what {program} --sample-config prints")

    def test_a_sample_is_right_but_for_its_places(self):
        """What the check finds in a sample is only what is not on this machine."""
        for program, name in TIERS.items():
            code, said = run(program, "--check-config", "--config", lm.TOP / "deploy/config" / f"{name}.conf")
            for line in said.splitlines():
                self.assertRegex(line, r"(pages|places|data|map_size): |: no fault found$")


class Check(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lm-"))
        self.addCleanup(subprocess.run, ["rm", "-rf", self.folder])
        self.path = self.folder / "a.conf"

    def check(self, text, program="lm-subcenter"):
        self.path.write_text(text)
        return run(program, "--config", self.path, "--check-config")

    def right(self):
        return (f"place = 310114106\ndata = {self.folder}/data\nlink_address = tcp://127.0.0.1:5602\n"
                f"upstream = tcp://hub.example:5601\nupstream_key = {KEY}\nauthority = {KEY}\nmap_size = 4M\n"
                f"places = {lm.TOP}/deploy/places.json\n")

    def test_nothing_is_found_and_nothing_is_made(self):
        self.assertEqual((0, f"{self.path}: no fault found\n"), self.check(self.right()))
        self.assertEqual([self.path], list(self.folder.iterdir()))

    def test_all_faults_are_told_with_their_lines(self):
        data = self.folder / "data"
        data.mkdir(mode=0o755)
        (data / "device.keys").write_text("secret")
        os.chmod(data / "device.keys", 0o644)
        (self.folder / "places.json").write_text("{]")
        (self.folder / "pages").mkdir()
        code, said = self.check(
            f"plaice = 1\nplace = 310114\ndata = {data}\nlink_address = udp://x\nupstream = tcp://hub:99999\n"
            f"upstream_key = 12\nhttp_address = 0.0.0.0:80\npublic_name = https://Desk.example\nlog_level = loud\n"
            f"map_size = 1T\nplaces = {self.folder}/places.json\npages = {self.folder}/pages\nsession_idle_s = 1\n")
        self.assertEqual(2, code, said)
        for wanted in ("line 1: there is no key 'plaice'; the nearest is 'place'", "line 2: place: ", "line 3: data: .*chmod 700",
                       "line 3: data: .*device.keys .*chmod 600", "line 4: link_address: ", "line 5: upstream: ",
                       "line 6: upstream_key: ", "line 7: http_address: .*loopback", "line 8: public_name: ",
                       "line 9: log_level: ", "line 10: map_size: .* bytes more", "line 11: places: .*places.json",
                       "line 12: pages: .*index.html", "line 13: session_idle_s = '1'; it must be from 60",
                       "the key 'authority' is missing"):
            self.assertEqual(1, len(re.findall(wanted, said)), f"{wanted}\n{said}")
        self.assertIn("tier", self.check(self.right(), "lm-hub")[1])

    def test_what_cannot_be_read(self):
        self.assertEqual((2, f"the configuration {self.folder}/none does not exist\n"),
                         run("lm-hub", "--config", self.folder / "none", "--check-config"))


class Manual(unittest.TestCase):
    """docs/OPERATIONS.md against the code."""

    def setUp(self):
        self.manual = (lm.TOP / "docs/OPERATIONS.md").read_text()
        folders = ("common", "hub", "subcenter", "terminal")
        self.code = "".join(path.read_text() for folder in folders for path in sorted((lm.TOP / folder).rglob("*.c")))

    def test_every_event_of_the_log_is_explained(self):
        calls = re.findall(r"\blog_write(?:_trace)?\(([^;]*?)\);", self.code, re.S)
        events = {word for call in calls for word in re.findall(r'"([a-z][a-z-]+)"', call.split("%")[0])}
        self.assertGreater(len(events), 25)
        self.assertEqual([], sorted(event for event in events if f"`{event}`" not in self.manual))

    def test_every_metric_that_it_names_is_there(self):
        names = set(re.findall(r"\b(lm_[a-z_]+)(?![a-z_*])", self.manual)) - {"lm_http_", "lm_inbox_"}
        self.assertGreater(len(names), 15)
        self.assertEqual([], sorted(name for name in names if f'"{name}' not in self.code))


if __name__ == "__main__":
    report.main()
