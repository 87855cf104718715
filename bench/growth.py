"""What a request costs as requests and terminals become many: CPU time of all tiers.

Requests: 1,024 under way at one terminal, its town and the hub, measured when so many are stored already.

Terminals: the same rate of requests in all, spread evenly, with 10 terminals and with 1,000 below the same ten towns. All
are real: each has keys, a store, a link, a loop and a writer of its own, and was admitted; 100 share a process. So what
differs is how many there are, not how requests come.
"""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import path
from client import Client
from district import District, Failed, wait_until
from path import TIERS, cpu_s, form, measure_growth, median
from path_table import verdict

TARGETS = ["lm-hub", "lm-subcenter", "lm-terminal", "lmctl", "bench_terminal", "bench_terminals"]
MARKS = (100000, 300000, 1000000, 3000000, 10000000)
BYTES_A_REQUEST = 12000  # on disk in the hungriest tier with room for answers, and then some: below 60 % nothing is trimmed
TOWNS = [f"3101141{number:02}" for number in range(10)]
SIZES = (10, 1000)
A_PROCESS = 100
RATE = 500
TERMINAL_MAP = "8M"


class Crowd:
    """Ten towns, and so many terminals below them."""

    def __init__(self, folder, build, count):
        self.folder, self.build = folder, build
        self.district = District(folder / "d", build=build)
        for town in TOWNS:
            self.district.add_town(town)
        for number in range(count):
            terminal = self.district.add_terminal(f"{TOWNS[number % len(TOWNS)]}001-T{number // len(TOWNS) + 1}")
            terminal.settings = {"map_size": TERMINAL_MAP, "receipts_ahead": 0}
        self.hosts = []

    def start(self):
        self.district.prepare()
        self.district.start_towns()
        services = Client(self.district.hub.http_address).get("/api/v1/catalogue")["services"]
        file = self.folder / "form.json"
        file.write_text(json.dumps(form(next(s for s in services if s["id"] == path.SERVICE))))
        terminals = list(self.district.terminals.values())
        for at in range(0, len(terminals), A_PROCESS):
            configs = [terminal.folder / "daemon.conf" for terminal in terminals[at:at + A_PROCESS]]
            for terminal, config in zip(terminals[at:], configs):
                config.write_text(terminal.configuration())
            with open(self.folder / "host.log", "ab") as log:
                self.hosts.append(subprocess.Popen([self.build / "bench_terminals", file, *configs], text=True, stderr=log,
                                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        wait_until(lambda: sum(answer["ready"] for answer in self.order("ready")) == len(terminals), 300,
                   f"{len(terminals)} terminals take requests", 1)
        return self

    def order(self, text):
        """To all processes at once; their answers."""
        answers = []
        with contextlib.suppress(BrokenPipeError):
            for host in self.hosts:
                host.stdin.write(text + "\n")
                host.stdin.flush()
        for host in self.hosts:
            line = host.stdout.readline()
            answers.append(json.loads(line) if line else {"error": "it ended:\n" + (self.folder / "host.log").read_text()[-2000:]})
            if "error" in answers[-1]:
                raise Failed(f"terminals, {text}: {answers[-1]['error']}")
        return answers

    def cpu(self):
        tiers = (self.hosts, [town.process for town in self.district.towns.values()], [self.district.hub.process])
        return {tier: sum(cpu_s(process.pid) for process in of) for tier, of in zip(TIERS, tiers)}

    def measure(self, seconds):
        out, before, begun = {}, self.cpu(), time.monotonic()
        time.sleep(seconds)
        lasted = time.monotonic() - begun
        out["idle_ms"] = {tier: (now - before[tier]) / lasted * 1000 for tier, now in self.cpu().items()}
        self.order(f"rate {RATE / len(self.hosts)} 1000")
        before = self.cpu()
        answers = self.order(f"rate {RATE / len(self.hosts)} {int(seconds * 1000)}")
        out["requests"] = sum(answer["requests"] for answer in answers)
        out["us"] = {tier: (now - before[tier]) / out["requests"] * 1e6 for tier, now in self.cpu().items()}
        for key in ("p50_ms", "p99_ms"):
            out[key] = max(answer[key] for answer in answers)
        return out

    def check(self):
        for node in [*self.district.towns.values(), self.district.hub]:
            status = node.status()
            if int(status["quarantined"]) or int(status["held"]):
                raise Failed(f"{node} put requests aside: {status['quarantined']} quarantined, {status['held']} held")

    def kill(self):
        for host in self.hosts:
            host.kill()
            host.communicate()
        self.district.kill()


def measure_terminals(folder, build, seconds):
    out = {}
    for count in SIZES:
        crowd = Crowd(folder / str(count), build, count)
        crowd.folder.mkdir()
        try:
            out[count] = crowd.start().measure(seconds)
            crowd.check()
        finally:
            crowd.kill()
        shutil.rmtree(crowd.folder)
    return out


def marks_of(options):
    marks = [mark for mark in MARKS if mark <= options.most]
    return marks if marks else sorted({max(1000, options.most // 10), options.most})


def run(build, folder, options, say):
    marks = marks_of(options)
    map_bytes = max(path.MAP_BYTES, marks[-1] * BYTES_A_REQUEST)
    needed, free = 3 * map_bytes + (SIZES[-1] << 23) + (1 << 31), shutil.disk_usage(folder).free
    if free < needed:
        sys.exit(f"{folder} needs {needed >> 30} GB free and has {free >> 30}; choose another with --folder, or a smaller --most")
    results = []
    for number in range(1, options.rounds + 1):
        place = pathlib.Path(tempfile.mkdtemp(prefix="p", dir=folder))
        os.sync()
        try:
            say(f"round {number}/{options.rounds}: requests, up to {marks[-1]:,}")
            stored = measure_growth(place / "r", build, marks, map_bytes)
            shutil.rmtree(place / "r")
            say(f"round {number}/{options.rounds}: terminals, {SIZES[0]} and {SIZES[-1]:,}")
            results.append({"stored": stored, "terminals": measure_terminals(place, build, options.seconds * 5)})
        finally:
            shutil.rmtree(place, ignore_errors=True)
    return results


# ---- the tables ----

def all_us(load):
    return sum(load[f"{tier}_us"] for tier in TIERS)


def stored_table(results):
    yield "| stored before | req/s at 8×128 | CPU µs a request: terminal, town, hub | in all | p50 ms |"
    yield "|---|---|---|---|---|"
    for mark in results[0]["stored"]:
        m = lambda key: median(results, "stored", mark, key)  # noqa: E731
        tiers = ", ".join(f"{m(f'{tier}_us'):.0f}" for tier in TIERS)
        yield f"| {mark:,} | {m('per_s'):,.0f} | {tiers} | {m(all_us):.0f} | {m('p50_ms'):.2f} |"


def terminals_table(results):
    yield (f"| terminals below ten towns | CPU µs a request at {RATE} a second in all: terminals, towns, hub | towns and hub | "
           "p50 ms | p99 ms | CPU ms a second without requests: terminals, towns, hub |")
    yield "|---|---|---|---|---|---|"
    for count in SIZES:
        m = lambda *keys: median(results, "terminals", count, *keys)  # noqa: E731
        us = ", ".join(f"{m('us', tier):.0f}" for tier in TIERS)
        idle = ", ".join(f"{m('idle_ms', tier):.1f}" for tier in TIERS)
        yield f"| {count:,} | {us} | {m(above_us):.0f} | {m('p50_ms'):.2f} | {m('p99_ms'):.2f} | {idle} |"


def above_us(load):
    return load["us"]["town"] + load["us"]["hub"]


def goals_table(results):
    marks = list(results[0]["stored"])
    stored = [median(results, lambda r: all_us(r["stored"][mark]) / all_us(r["stored"][marks[0]])) for mark in marks]
    crowd = median(results, lambda r: above_us(r["terminals"][SIZES[1]]) / above_us(r["terminals"][SIZES[0]]))
    yield "| goal | measured | |"
    yield "|---|---|---|"
    yield (f"| cost at most 20 % more from {marks[0]:,} to {marks[-1]:,} stored requests | at most {max(stored):.2f} × "
           f"| {verdict(max(stored) <= 1.2)} |")
    yield (f"| cost at towns and hub at most 20 % more with {SIZES[1]:,} terminals than with {SIZES[0]} | {crowd:.2f} × "
           f"| {verdict(crowd <= 1.2)} |")


TEXT = f"""\
Stored requests: one terminal, its town and the hub, from empty; at each mark a window of requests is timed. Nothing is trimmed.

Terminals: all of them real but for two things: {A_PROCESS} share a process (each with its own keys, store, link, loop and writer), and
receipts are drawn, not stretched. They were admitted one by one; a hundred at a town is more than any has. Requests come at an
even rate, {RATE} a second in all, and go round the terminals, so a request is a commit of its own at its terminal in either case, and the
cost counts what the links cost by themselves meanwhile. That part is also printed alone, without requests."""


def table(results, options):
    for part in (stored_table, terminals_table, goals_table):
        yield from part(results)
        yield ""
    yield TEXT
