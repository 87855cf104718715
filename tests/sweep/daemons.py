#!/usr/bin/env python3
"""Daemons and lmctl, while one call of the machine after another fails (tests/lib/faults.c, preloaded).

    tests/sweep/daemons.py [--points N] [--only TEXT]

Each operation is done over and over: once to count its calls, and then with the first, second, third … of them failing, or
with N of them, spread evenly. Each time: nothing hangs, nothing crashes, what fails says so in a sentence and blames the
machine, and what was called saved is at the district in the end, once.

libzmq, ICU and libuv end the process where some calls of their own fail (docs/SECURITY.md): those are left out here.
"""
import argparse
import contextlib
import http.client
import mmap
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import audit  # noqa: E402
import lm  # noqa: E402

LIBRARY = lm.BUILD / "tests/lib/libfaults.so"
MEMORY, FILES, SOCKETS, THREADS = 1, 2, 4, 8
KINDS = {"memory": (MEMORY, 1), "files": (FILES, 4), "sockets": (SOCKETS, 3), "threads": (THREADS, 2)}  # mask, variants
HONEST_EXITS = (0, 6, 7, 9)  # done, later, full, the machine: never "your input" or "damaged"
BROKEN_EXIT = 70  # a commit failed: the daemon says so and ends, and is started again
HONEST_STATUS = (500, 503, 507)
HONEST_CODES = ("busy", "again", "not-ready", "too-many", "full", "memory", "io", "crypto", "internal", "unreachable",
                "timeout")
PATIENCE_S = 60


class Faults:
    """The memory that a daemon or a command shares with us: struct faults of tests/lib/faults.h."""

    LAYOUT = struct.Struct("<IIQQQQq24s24Q")

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.path.write_bytes(bytes(4096))
        with open(self.path, "r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 4096)

    def environment(self):
        return {"LD_PRELOAD": str(LIBRARY), "LM_FAULTS": str(self.path)}

    def _set(self, offset, form, value):
        struct.pack_into(form, self._memory, offset, value)

    def arm(self, kind, fail_at, variant=0):
        self.disarm()
        self._set(4, "<I", variant)
        for offset, value in ((8, 0), (16, fail_at), (24, 1), (32, 0)):  # seen, fail_at, count, failed
            self._set(offset, "<Q", value)
        self._memory[48:72] = bytes(24)
        self._set(0, "<I", kind)

    def disarm(self):
        self._set(0, "<I", 0)

    @property
    def seen(self):
        return struct.unpack_from("<Q", self._memory, 8)[0]

    @property
    def failed(self):
        return struct.unpack_from("<Q", self._memory, 32)[0]

    def where(self, program):
        """The call that failed, and how the program came to it."""
        fields = self.LAYOUT.unpack_from(self._memory)
        call = fields[7].split(b"\0")[0].decode()
        frames = [hex(frame - 1) for frame in fields[8:] if frame]
        lines = subprocess.run(["addr2line", "-fse", program, *frames], capture_output=True, text=True).stdout.split("\n")
        return call + "".join(f" < {name}" for name in lines[:16:2] if name and name != "??")


class Sweep:
    def __init__(self, points, only):
        self.points, self.only = points, only
        self.tried = self.passed = self.failed = 0

    def numbers(self, seen):
        """Which calls are to fail, of so many."""
        if seen <= self.points:
            return list(range(1, seen + 1))
        return sorted({1 + i * (seen - 1) // (self.points - 1) for i in range(self.points)})

    def run(self, name, faults, program, once, kinds=KINDS):
        """`once()` does the operation and returns what is wrong with it, or nothing."""
        if self.only not in name:
            return
        for kind in kinds:
            mask, variants = KINDS[kind]
            seen = 0
            for _ in range(3):  # the first time it may have had more to do
                faults.arm(mask, 0)
                wrong = once(None)
                seen = faults.seen
                faults.disarm()
            troubles = [f"without a fault: {wrong}"] if wrong else []
            tried = 0
            for variant in range(variants if seen else 0):
                for number in self.numbers(seen):
                    faults.arm(mask, number, variant)
                    wrong = once(faults)
                    faults.disarm()
                    tried += 1
                    where = faults.where(program) if wrong else ""
                    if wrong and " < gcov_" not in where:  # a build with counters, which writes them at its end
                        troubles.append(f"call {number}, {where}: {wrong}")
            self.tried += tried
            self.passed += not troubles
            self.failed += bool(troubles)
            print(f"{name:28} {kind:8} {seen:6} calls, {tried:5} points", flush=True)
            for trouble in troubles[:12]:
                print(f"    WRONG: {trouble}", flush=True)
            if len(troubles) > 12:
                print(f"    and {len(troubles) - 12} more", flush=True)


def complaint(text):
    return next((mark for mark in lm.MARKS_OF_A_FAULT if mark in text), None)


# ---- commands ----

def command_sweep(sweep, name, words, faults, prepare=lambda: None, kinds=KINDS, is_check=False):
    """A program that does one thing and ends. One that checks files prints what is wrong with them: that it could not read
    one is no fault of the file's, and says so."""
    program = words[0]
    good = []

    def once(under):
        prepare()
        try:
            done = subprocess.run(list(map(str, words)), capture_output=True, text=True, timeout=PATIENCE_S,
                                  env=os.environ | faults.environment(), stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return f"it hangs for {PATIENCE_S} s"
        if complaint(done.stderr):
            return done.stderr[-2000:]
        if done.returncode < 0:
            return f"it ended with {signal.Signals(-done.returncode).name}"
        if done.returncode == 0:
            if under is None:
                good.append(done.stdout)
            is_steady = len(set(good)) == 1  # a status is another every time
            return None if under is None or not is_steady or done.stdout in good else f"it says {done.stdout!r}"
        if is_check and done.returncode == 2 and re.search("no memory|cannot |: Input/output error", done.stdout):
            return None
        if done.returncode not in HONEST_EXITS:
            return f"exit code {done.returncode}: {done.stderr.strip()}"
        return None if re.search(r": \w.* ", done.stderr) else f"no sentence: {done.stderr!r}"

    sweep.run(name, faults, program, once, kinds)


def commands_sweep(sweep, folder, district):
    """lmctl on the folder of a town that has ended, and on one that runs."""
    faults = Faults(folder / "faults-lmctl")
    lmctl = lm.BUILD / "lmctl"
    town, hub = next(iter(district.towns.values())), district.hub
    keys, copy = folder / "keys", folder / "copy"

    def no_keys():
        shutil.rmtree(keys, ignore_errors=True)

    def a_copy():
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(town.folder, copy, ignore=shutil.ignore_patterns("*.sock", "log"))

    command_sweep(sweep, "lmctl keys", [lmctl, "keys", keys], faults, no_keys, ("memory", "files"))
    command_sweep(sweep, "lmctl status", [lmctl, "status", "--data", hub.folder], faults)
    command_sweep(sweep, "lmctl devices", [lmctl, "devices", "--data", hub.folder], faults, kinds=("memory",))
    command_sweep(sweep, "lmctl catalogue check", [lmctl, "catalogue", "check", lm.CATALOGUE[0]], faults, is_check=True)
    command_sweep(sweep, "lm-subcenter --check-config",
                  [town.program, "--config", town.folder / "daemon.conf", "--check-config"], faults, is_check=True)
    town.stop()
    a_copy()
    command_sweep(sweep, "lmctl verify", [lmctl, "verify", "--data", copy], faults)
    command_sweep(sweep, "lmctl rebuild", [lmctl, "rebuild", "--data", copy], faults)
    command_sweep(sweep, "lmctl rebuild --replace", [lmctl, "rebuild", "--replace", "--data", copy], faults, a_copy,
                  ("files",))
    town.start().wait_ready()


# ---- starts ----

def ended_honestly(node):
    code = node.process.wait()
    tail = node.log_tail(4)
    return (code in HONEST_EXITS or (code == BROKEN_EXIT and "store-broken" in tail)
            or "Address already in use" in tail or "is in use" in tail or "this machine does not have it" in tail)


def ends_or_answers(node):
    """None, or what is wrong with a start: it must answer, or end with a sentence."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if not node.is_running():
            text = node.log.read_text(errors="replace")
            code = node.process.returncode
            if complaint(text):
                return text[-2000:]
            if code < 0:
                return f"it ended with {signal.Signals(-code).name}: {node.log_tail(3)}"
            if code == 0 or not ended_honestly(node):
                return f"exit code {code}: {node.log_tail(3)}"
            return None if node.log_tail(3).strip() else "it ended without a word"
        with contextlib.suppress(OSError, http.client.HTTPException, lm.Refused):
            if node.control.get("/ctl/v1/status"):
                return None
        time.sleep(0.01)
    return f"it neither answers nor ends for {PATIENCE_S} s"


def start_sweep(sweep, name, node, faults, prepare):
    node.environment = faults.environment()

    def once(under):
        prepare()
        node.log.unlink(missing_ok=True)
        node.start()
        wrong = ends_or_answers(node)
        faults.disarm()
        try:
            code = node.stop(timeout=PATIENCE_S)
        except lm.Failed as failed:
            return f"{wrong}; {failed}"
        if under is None or wrong:
            return wrong
        if not ended_honestly(node):
            return f"it ended with code {code} when it was asked to end: {node.log_tail(3)}"
        node.start()  # and then, with nothing in its way
        wrong = ends_or_answers(node) or (not node.is_running() and f"afterwards it does not start: {node.log_tail(3)}")
        node.stop(timeout=PATIENCE_S)
        return wrong

    sweep.run(name, faults, node.program, once)


def starts_sweep(sweep, folder):
    district = lm.District(folder / "starts", build=lm.BUILD)
    hub = district.hub
    hub.settings["map_size"] = "4M"
    faults = Faults(folder / "faults-start")

    def empty():
        shutil.rmtree(hub.folder, ignore_errors=True)
        hub.folder.mkdir(parents=True)

    try:
        start_sweep(sweep, "hub: first start", hub, faults, empty)
        start_sweep(sweep, "hub: start with data", hub, faults, lambda: None)
    finally:
        district.kill()


# ---- what people do ----

class Work:
    """What people do at a running district. A daemon that ends for a fault, as it does when its disk fails, is started
    again; what was called saved stays promised."""

    def __init__(self, district, faults):
        self.district, self.faults = district, faults
        self.hub = district.hub
        self.town = next(iter(district.towns.values()))
        self.terminal = next(iter(district.terminals.values()))
        self.saved = []

    def act(self, node, call):
        def once(under):
            if not node.is_running():  # it ended just after the last time
                if not ended_honestly(node):
                    return self.why_ended(node)
                node.start().wait_ready()
            try:
                wrong = self.answer_of(call)
            finally:
                self.faults[node].disarm()
            end = time.monotonic() + 0.05
            while node.is_running() and time.monotonic() < end and not self.answers(node):
                time.sleep(0.01)
            if not node.is_running():
                wrong = wrong or self.why_ended(node)
                node.start().wait_ready()
            elif not self.answers(node, PATIENCE_S):
                wrong = wrong or "it does not answer any more"
            return wrong
        return once

    @staticmethod
    def answers(node, patience_s=1):
        end = time.monotonic() + patience_s
        while time.monotonic() < end:
            with contextlib.suppress(OSError, http.client.HTTPException, lm.Refused):
                return bool(node.control.get("/ctl/v1/status"))
            if not node.is_running():
                return False
            time.sleep(0.02)
        return False

    @staticmethod
    def why_ended(node):
        code, tail = node.process.wait(), node.log_tail(4)
        if complaint(node.log.read_text(errors="replace")[-20000:]):
            return tail
        if code < 0:
            return f"it ended with {signal.Signals(-code).name}: {tail}"
        return None if ended_honestly(node) else f"it ended with code {code}: {tail}"

    @staticmethod
    def answer_of(call):
        """What is wrong with how the daemon answered: silence is none, for a network loses as much."""
        try:
            call()
        except lm.Refused as refused:
            if refused.status not in HONEST_STATUS or (refused.code not in HONEST_CODES and refused.code != "login"):
                return f"it answered {refused}"
            return None if len(refused.text) > 8 else f"no sentence: {refused}"
        except TimeoutError:
            return "no answer within 30 s"
        except (OSError, http.client.HTTPException, lm.Failed):
            return None
        return None

    def submit(self, kiosk, service):
        command = kiosk.draft(service)
        view = kiosk.hand_in(command)
        if view["is_saved"]:
            self.saved.append((command["request_id"], command["code"]))


def people_sweep(sweep, folder, district, faults):
    work = Work(district, faults)
    hub, town, terminal = work.hub, work.town, work.terminal
    saved = {}

    def kiosk():
        if not saved.get("kiosk") or saved["process"] is not terminal.process:
            saved["kiosk"], saved["process"] = terminal.kiosk(), terminal.process
            saved["service"] = saved["kiosk"].service()
        return saved["kiosk"]

    def submit():
        work.submit(kiosk(), saved["service"])

    kiosk()
    submit()
    request, code = work.saved[0]
    desk = town.desk()
    lm.wait_until(lambda: desk.has_case(request), what="the first request is at the town")

    def as_clerk(call):
        def once():
            nonlocal desk
            try:
                call(desk)
            except lm.Refused as refused:
                if refused.code != "login":
                    raise
                desk = town.desk()
        return once

    def at(node, name, call, kinds):
        sweep.run(f"{node.program.name}: {name}", faults[node], node.program, work.act(node, call), kinds)

    at(terminal, "begin", lambda: lm.Kiosk(terminal.http_address).begin(), ("memory", "sockets"))
    at(terminal, "catalogue", lambda: kiosk().services(), ("memory",))
    at(terminal, "submit", submit, ("memory", "files", "sockets"))
    at(terminal, "look up", lambda: kiosk().lookup(code), ("memory", "sockets"))
    at(town, "login", lambda: town.desk(), ("memory",))
    at(town, "queue", as_clerk(lambda page: page.cases()), ("memory", "sockets"))
    at(town, "case", as_clerk(lambda page: page.case(request)), ("memory",))

    def decide():
        """One request all the way, as far as the town lets it: what is not done yet is done the next time."""
        nonlocal desk
        submit()
        open_rows = [row for row in desk.cases() if row["owner"] == "TIER_TOWN"][:1]
        for row in open_rows:
            if row["state"] == "CASE_STATE_RECEIVED":
                desk.accept(row["request_id"])
            desk.grant(row["request_id"])

    at(town, "accept, decide", as_clerk(lambda page: decide()), ("memory", "files", "sockets"))
    at(hub, "publish", lambda: district.publish(lm.CATALOGUE[:1]), ("memory", "files"))
    at(hub, "status", hub.status, ("memory", "sockets"))
    return work


def rest(work):
    """In peace everything comes to its end: what is promised is at the district, the tapes are whole."""
    district = work.district
    for node in district.nodes:
        if not node.is_running():
            node.start().wait_ready()
    for node in district.nodes[1:]:
        node.wait_connected()
    page = work.hub.desk()
    for request, _ in work.saved:
        lm.wait_until(lambda: page.has_case(request), PATIENCE_S, f"request {request}, which was called saved, is at the hub")
    for node in district.nodes:
        lm.wait_until(lambda: node.status()["waiting"] in (0, "0") if "waiting" in node.status() else True)
    tapes = audit.alike(district.nodes, PATIENCE_S)
    requests = [entry.request for entry in tapes[work.hub].of_kind("KIND_REQUEST")]
    missing = {request for request, _ in work.saved} - set(requests)
    audit.must(not missing and len(requests) == len(set(requests)), f"missing at the hub: {missing}, or twice there")
    for node in district.nodes:
        district.lmctl("verify", node=node)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--points", type=int, default=150, help="calls that fail, of each kind and operation, at most")
    parser.add_argument("--only", default="", help="operations whose name holds this")
    options = parser.parse_args()
    sweep = Sweep(max(2, options.points), options.only)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="lm-sweep-"))
    district = lm.District(folder / "district", build=lm.BUILD)
    district.map_sizes = {tier: "16M" for tier in district.map_sizes}
    try:
        starts_sweep(sweep, folder)
        district.add_town("310114106")
        district.add_terminal("310114106001-T1")
        faults = {node: Faults(folder / f"faults-{node.name}") for node in district.nodes}
        for node in district.nodes:
            node.environment = faults[node].environment()
        district.start()
        work = people_sweep(sweep, folder, district, faults)
        commands_sweep(sweep, folder, district)
        try:
            rest(work)
            sweep.passed += 1
        except (AssertionError, lm.Failed) as wrong:
            sweep.failed += 1
            print(f"    WRONG in the end: {wrong}")
        print(f"{len(work.saved)} requests were called saved")
        district.stop()
    finally:
        district.kill()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{sweep.tried} points\n{sweep.passed} passed, {sweep.failed} failed", flush=True)
    sys.exit(1 if sweep.failed or not sweep.passed else 0)


if __name__ == "__main__":
    main()
