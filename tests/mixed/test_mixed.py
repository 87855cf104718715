#!/usr/bin/env python3
"""The version before this one and this one in one district, and each tier taken to the new version and back on its own data.

tests/mixed/previous names the commit. It is taken from this repository, without a network, and built below $LM_BUILD once.

    LM_JOBS=3        how many compilers run at the same time
"""
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import report  # noqa: E402

TOWN = "310114106"
SITE = f"{TOWN}001-T1"
JOBS = os.environ.get("LM_JOBS") or str(os.cpu_count())
VERSION, COMMIT = (lm.TOP / "tests/mixed/previous").read_text().splitlines()[-1].split()


def git(*words):
    return subprocess.run(["git", "-C", lm.TOP, *words], capture_output=True)


def previous_build():
    """The folder with the programs of the version before."""
    folder = lm.BUILD / f"previous-{COMMIT[:12]}"
    source, build = folder / "source", folder / "build"
    if (folder / "built").exists():
        return build
    if git("cat-file", "-e", f"{COMMIT}^{{commit}}").returncode:
        raise lm.Failed(f"this clone has no commit {COMMIT}, version {VERSION}, which tests/mixed/previous names: a shallow clone "
                        "lacks it; get it with: git fetch --unshallow")
    source.mkdir(parents=True, exist_ok=True)
    archive = subprocess.Popen(["git", "-C", lm.TOP, "archive", COMMIT], stdout=subprocess.PIPE)
    subprocess.run(["tar", "-x", "-C", source], stdin=archive.stdout, check=True)
    if archive.wait():
        raise lm.Failed(f"git archive {COMMIT} failed")
    subprocess.run(["cmake", "-S", source, "-B", build, "-G", "Ninja"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", f"-j{JOBS}", "-C", build, "lm-hub", "lm-subcenter", "lm-terminal", "lmctl"], check=True)
    (folder / "built").touch()
    return build


class Mixed(lm.Case):
    @classmethod
    def setUpClass(cls):
        cls.previous = previous_build()

    def district_of(self, *old):
        """A district whose tiers named in `old` are of the version before."""
        self.d = self.lay_out(sites=1)
        self.hub, self.town, self.terminal = self.d.hub, self.d.towns[TOWN], self.d.terminals[SITE]
        for node in self.d.nodes:
            self.take(node, node.tier in old)
        # What the version before does not know it refuses, or puts into quarantine.
        self.d.services = sorted((self.previous.parent / "source/deploy/catalogue").glob("*.json"))
        self.d.calendars = []
        self.d.start()

    def take(self, node, is_old):
        node.program = (self.previous if is_old else lm.BUILD) / node.program.name
        if node.tier != lm.TERMINAL:
            node.settings["second_factor"] = None if is_old else "optional"  # a key that the version before does not know

    def change(self, node, is_old):
        """The same folder, another version: what it derives from the tape it makes anew, as docs/OPERATIONS.md says."""
        node.stop()
        self.take(node, is_old)
        if not is_old:
            self.rebuild(node)
        node.start().wait_ready()
        if node.tier != lm.HUB:
            node.wait_connected()

    def rebuild(self, node):
        for words in (["--replace"], []):  # the first says, also by its code, whether they differed
            done = subprocess.run([node.program.with_name("lmctl"), "rebuild", *words, "--data", node.folder], capture_output=True,
                                  text=True)
        self.assertEqual(0, done.returncode, f"rebuild of {node}: {done.stderr}")

    def all_the_way(self, nth):
        """A request is handed in, decided, and its receipt says so."""
        kiosk = self.terminal.kiosk()
        view = kiosk.submit(nth=nth)
        request = view["request_id"]
        lm.wait_until(lambda: kiosk.marks(request)["district"], what="it is at the district")
        desk = self.town.desk()
        desk.accept(request)
        desk.grant(request)
        lm.wait_until(lambda: len(kiosk.statuses(view["code"], request)) == 2, what="the receipt shows the decision")
        lm.wait_until(lambda: self.hub.desk().case(request)["row"]["state"] == "CASE_STATE_DECIDED")
        return request

    def is_well(self, requests):
        """Each request once at town and district, nothing held up, every store good: by the tools of its own version."""
        for node in (self.hub, self.town):
            self.assertEqual(sorted(requests), sorted(row["request_id"] for row in node.desk().cases("all")))
        for node in self.d.nodes:
            self.assertEqual(["0", "0"], [node.status()[k] for k in ("quarantined", "held")], f"held up at {node}")
            for line in node.status()["lines"]:
                self.assertFalse(line["is_frozen"] or line["rollbacks"] != "0", f"{node}: {line}")
            node.stop()
            lmctl = node.program.with_name("lmctl")
            for words in (["verify"], ["rebuild"]):
                done = subprocess.run([lmctl, *words, "--data", node.folder], capture_output=True, text=True)
                self.assertEqual(0, done.returncode, f"{lmctl} {words} of {node}: {done.stderr}")

    def test_old_towns_between_new_neighbours(self):
        self.district_of(lm.TOWN)
        self.is_well([self.all_the_way(nth) for nth in range(3)])

    def test_old_terminals_and_an_old_hub_around_a_new_town(self):
        self.district_of(lm.TERMINAL, lm.HUB)
        self.is_well([self.all_the_way(nth) for nth in range(3)])

    def test_upgrade_and_back_tier_by_tier(self):
        """From the top down to the new version, with work at every step, and from the bottom up back to the old one."""
        self.district_of(lm.HUB, lm.TOWN, lm.TERMINAL)
        requests = [self.all_the_way(0)]
        for is_old, order in ((False, self.d.nodes), (True, self.d.nodes[::-1])):
            for node in order:
                self.change(node, is_old)
                requests.append(self.all_the_way(len(requests)))
        for node in self.d.nodes:  # and once more up: what the old one wrote meanwhile is read
            self.change(node, False)
        requests.append(self.all_the_way(len(requests)))
        self.is_well(requests)


if __name__ == "__main__":
    report.main()
