"""The district after two weeks without a network: 282 terminals come back at once, each with what it took meanwhile.

All daemons are the real ones, with maps of their usual size in the demo (16 MB a terminal). What is made up is how the backlog came
to be: not in two weeks, but by the terminal's own code on its own folder, with receipts that are drawn instead of stretched.
"""
import collections
import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import path
from demo import files_allow, site_order
from district import HUB, TERMINAL, TOP, TOWN, District, Failed, wait_until
from path import form, median
from path_table import verdict

sys.path.insert(0, str(TOP / "tests/lib"))
import audit  # noqa: E402

TARGETS = ["lm-hub", "lm-subcenter", "lm-terminal", "lmctl", "bench_terminal"]
RESIDENTS = 21000  # with a certificate, in the district
DAYS = 14
BACKLOG, QUEUE = 10000, 100000
HUB_CORES = {0, 1}
START_WIDTH = 8
PATIENCE_S = 600
MAP_SIZES = {HUB: "1G", TOWN: "256M", TERMINAL: "16M"}
QUEUE_MAP = 2 << 30  # with room for the answers to what is queued


def highest_mb(pid):
    """The most memory it ever had resident, the pages of its map in the kernel's cache included."""
    return int(re.search(r"^VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)[1]) / 1024


@contextlib.contextmanager
def on_cores(cores):
    """What is started within runs on these."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, before & cores or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def fill(node, build, file, count):
    """Requests of the terminal's own making, without its town."""
    done = subprocess.run([build / "bench_terminal", node.folder / "daemon.conf", file], input=f"fill {count}\nquit\n", text=True,
                          capture_output=True, timeout=PATIENCE_S)
    answer = json.loads(done.stdout.splitlines()[0]) if done.stdout else {}
    if done.returncode or answer.get("requests") != count:
        raise Failed(f"{node} took {answer} of {count} requests: {done.stderr[-500:]}")


class Storm:
    def __init__(self, folder, build, sites, say):
        self.folder, self.build, self.say = folder, build, say
        places = site_order()[:sites]
        self.each = -(-RESIDENTS // len(site_order()))
        self.district = District(folder / "d", build=build)
        self.district.map_sizes = MAP_SIZES
        self.district.hub.inside = lambda: on_cores(HUB_CORES)
        for town in sorted({place[:9] for place in places}):
            self.district.add_town(town)
        for place in places:
            self.district.add_terminal(f"{place}-T1").settings = {"receipts_ahead": 0}
        self.terminals = list(self.district.terminals.values())
        self.above = [self.district.hub, *self.district.towns.values()]
        self.office = None  # somebody who looks at the totals

    def prepare(self):
        """Every terminal has joined, has the catalogue, and has taken its requests while it was alone."""
        district = self.district
        district.prepare()
        district.start_towns(START_WIDTH)
        self.say(f"{len(self.terminals)} terminals join")
        district.start_nodes(self.terminals, START_WIDTH)
        for node in self.terminals:
            node.kiosk(PATIENCE_S)
        services = path.Client(district.hub.http_address).get("/api/v1/catalogue")["services"]
        file = self.folder / "form.json"
        file.write_text(json.dumps(form(next(one for one in services if one["id"] == path.SERVICE))))
        district.stop()
        self.say(f"{self.each} requests each")
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda node: fill(node, self.build, file, self.each), self.terminals))
        district.start_nodes(self.terminals, START_WIDTH)
        time.sleep(10)  # long enough that all of them are in the pauses of those that have tried in vain for long

    def come_back(self):
        """Seconds from the moment that hub and towns are started to that at which the district has everything, and to that at
        which every terminal knows it."""
        total = self.each * len(self.terminals)
        begun = time.monotonic()
        for node in self.above:
            node.start()
        seconds = {}

        def has_all():
            if self.received() == total:
                seconds.setdefault("hub", time.monotonic() - begun)
            return "hub" in seconds

        wait_until(has_all, PATIENCE_S, f"the district has all {total} requests", 0.2)
        waiting = set(self.terminals)

        def all_know():
            for node in list(waiting):
                if node.is_connected() and node.status()["unsent"] == "0":
                    waiting.discard(node)
            return not waiting

        wait_until(all_know, PATIENCE_S, "every terminal knows that its town has everything", 0.2)
        return seconds["hub"], time.monotonic() - begun

    def received(self):
        """Requests that the district has counted, of all towns."""
        self.office = self.office or self.district.hub.desk()
        return sum(int(row["received"]) for row in self.office.get("/api/v1/totals")["totals"])

    def check(self):
        """Each terminal's requests are on the district's tape, once, and nothing waits or was put aside."""
        for node in self.above:
            wait_until(lambda: node.status()["unsent"] == "0", PATIENCE_S, f"{node} has nothing to send")
        counts, ids = collections.Counter(), set()
        for entry in audit.Tape(self.district.hub).applied:
            if entry.kind == "KIND_REQUEST":
                counts[entry.place] += 1
                ids.add(entry.request)
        wrong = {node.place: counts[node.place] for node in self.terminals if counts[node.place] != self.each}
        if wrong or len(ids) != self.each * len(self.terminals):
            raise Failed(f"{self.each} requests were taken at each terminal; at the district are {len(ids)}, and of {wrong}")

    def memory_mb(self):
        return {"hub": highest_mb(self.district.hub.process.pid),
                "terminal": max(highest_mb(node.process.pid) for node in self.terminals)}


def measure_storm(folder, build, sites, say):
    storm = Storm(folder, build, sites, say)
    try:
        storm.prepare()
        say("the network is back")
        hub_s, all_s = storm.come_back()
        say("what is there")
        storm.check()
        out = {"terminals": sites, "each": storm.each, "hub_s": hub_s, "all_s": all_s, "mb": storm.memory_mb()}
        storm.district.stop()
        return out
    finally:
        storm.district.kill()


def measure_queue(folder, build, say):
    """One terminal with a long queue: how soon a new start of its daemon can take requests, and how soon 10,000 are drained."""
    one = path.Path(folder, build, preload=False, map_bytes=QUEUE_MAP)
    try:
        one.start()
        drain_s = path.measure_drain(one, BACKLOG)
        one.check()
        one.town.stop()
        say(f"{QUEUE:,} queued")
        one.order(f"fill {QUEUE}")
        one.process.communicate("quit\n", timeout=PATIENCE_S)
        begun = time.monotonic()
        one.terminal.start()
        kiosk = path.Client(one.terminal.http_address)
        wait_until(lambda: kiosk.get("/readyz")["is_good"], 60, "the terminal is ready", 0.005)
        restart_s = time.monotonic() - begun
        waiting = int(one.terminal.kiosk().state()["waiting"])
        if waiting < QUEUE:
            raise Failed(f"only {waiting} requests wait")
        one.stop()
        return {"drain_s": drain_s, "restart_s": restart_s}
    finally:
        one.kill()


def run(build, folder, options, say):
    files_allow()
    results, rounds = [], options.rounds
    sites = 24 if options.quick else len(site_order())
    for number in range(1, rounds + 1):
        def tell(what):
            say(f"round {number}/{rounds}: {what}")  # noqa: B023

        place = pathlib.Path(tempfile.mkdtemp(prefix="p", dir=folder))
        try:
            result = measure_storm(place, build, sites, tell)
            shutil.rmtree(place / "d")
            results.append(result | measure_queue(place / "q", build, tell) | {"load": os.getloadavg()[0]})
        finally:
            shutil.rmtree(place, ignore_errors=True)
    return results


def table(results, options):
    first = results[0]
    m = lambda *keys: median(results, *keys)  # noqa: E731
    total = first["terminals"] * first["each"]
    yield "| goal | measured | |"
    yield "|---|---|---|"
    yield (f"| the district has all {total:,} requests of {first['terminals']} terminals in less than 60 s, none lost or doubled "
           f"| {m('hub_s'):.1f} s | {verdict(m('hub_s') < 60)} |")
    yield f"| and every terminal knows | {m('all_s'):.1f} s | |"
    yield (f"| hub on 2 cores: at most 1 GB resident | {m('mb', 'hub'):.0f} MB | {verdict(m('mb', 'hub') <= 1024)} |")
    yield (f"| terminal daemon: at most 64 MB resident | {m('mb', 'terminal'):.0f} MB | {verdict(m('mb', 'terminal') <= 64)} |")
    yield (f"| a backlog of {BACKLOG:,} at one terminal drained in less than 10 s, from the start of the town "
           f"| {m('drain_s'):.1f} s | {verdict(m('drain_s') < 10)} |")
    yield (f"| restart to ready with {QUEUE:,} queued in at most 2 s | {m('restart_s'):.2f} s | {verdict(m('restart_s') <= 2)} |")
    yield ""
    yield (f"Load of the machine at the end of a round: {m('load'):.1f}. {first['each']} requests a terminal are what {DAYS} days would be if each of the "
           f"district's {RESIDENTS:,} residents with a certificate came once: some thirty times what the yearly figures say. Terminals, towns and hub share "
           "this machine, and the hub two of its cores. Times begin with the start of the stopped hub and towns; the terminals run "
           "and have tried in vain before. Resident memory is the highest ever, pages of the map included.")
