"""A flood of strangers: the product at work with and without 10,000 connections that nobody has admitted, at each of its
ports that a network reaches. They come from addresses of their own, as on a network, and are opened anew as soon as they
are ended.
"""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from path import Failed, Highest, Path, anonymous_mb, cpu_s, median

TARGETS = ["lm-hub", "lm-subcenter", "lm-terminal", "lmctl", "bench_terminal", "bench_flood"]
SOCKETS = 10000
MEMORY_MB_MOST, P99_TIMES_MOST = 64, 2
KINDS = (("idle", "say nothing"), ("greets", "greet"), ("knocks", "greet and knock"))
PORTS = (("hub", "the hub's links"), ("town", "the town's links"), ("join", "joining at the town"))
SETTLE_S = 2


class Flood:
    """Strangers at a port, while this runs."""

    def __init__(self, build, address, what):
        self._words = [build / "bench_flood", address.rsplit(":", 1)[1], str(SOCKETS), what]
        self.counts = {}

    def __enter__(self):
        self._process = subprocess.Popen(self._words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        time.sleep(SETTLE_S)
        if self._process.poll() is not None:
            raise Failed("bench_flood ended at once")
        return self

    def __exit__(self, *_):
        out, _ = self._process.communicate(timeout=30)
        with contextlib.suppress(ValueError):
            self.counts = json.loads(out)


def reconnect_s(node):
    """A device that is admitted starts, and its link comes up."""
    begun = time.monotonic()
    node.start().wait_ready()
    node.wait_connected()
    took = time.monotonic() - begun
    node.stop()
    return took


def at_work(path, pids, seconds):
    """The honest side: one request after the other, all the way, and a device that connects."""
    before = {name: cpu_s(pid) for name, pid in pids.items()}
    with Highest(pids) as highest:
        load = path.order(f"load 1 1 {int(seconds * 1000)}")
        back = reconnect_s(path.idle)
    cpu = sum(cpu_s(pid) - before[name] for name, pid in pids.items())
    return {"p50_ms": load["p50_ms"], "p99_ms": load["p99_ms"], "requests": load["requests"], "reconnect_s": back,
            "mb": highest.mb, "cpu_s": cpu}


def measure(folder, build, seconds, say):
    path = Path(folder, build, preload=False)
    path.town.open_join()
    try:
        path.start()
        path.order("load 1 1 2000")
        reconnect_s(path.idle)
        pids = {"hub": path.district.hub.process.pid, "town": path.town.process.pid}
        addresses = {"hub": path.district.hub.link_address, "town": path.town.link_address, "join": path.town.join_address}
        out = {}
        for port, _ in PORTS:
            for what, _ in KINDS:
                say(f"{port}: {what}")
                quiet = at_work(path, pids, seconds)
                rest = {name: anonymous_mb(pid) for name, pid in pids.items()}
                flood = Flood(build, addresses[port], what)
                with flood:
                    flooded = at_work(path, pids, seconds)
                grown = max(flooded["mb"][name] - rest[name] for name in pids)
                out[f"{port} {what}"] = {"quiet": quiet, "flooded": flooded, "grown_mb": grown, **flood.counts}
                time.sleep(1)
        path.check()
        path.stop()
        return out
    finally:
        path.kill()


def run(build, folder, options, say):
    results = []
    for number in range(options.rounds):
        place = pathlib.Path(tempfile.mkdtemp(prefix="p", dir=folder))
        os.sync()
        try:
            results.append(measure(place, build, max(options.seconds, 3),
                                   lambda text: say(f"round {number + 1}/{options.rounds}: {text}")))
        finally:
            shutil.rmtree(place, ignore_errors=True)
    return results


def table(results, options):
    del options
    yield ("| strangers at | who | connections opened | memory (≤ +64 MB) | p50 ms without, with | p99 ms without, with | times (≤ 2) "
           "| a device connects, s, without, with |")
    yield "|---|---|---|---|---|---|---|---|"
    for port, port_title in PORTS:
        for what, what_title in KINDS:
            m = lambda *keys: median(results, f"{port} {what}", *keys)  # noqa: E731
            times = median(results, lambda r: r[f"{port} {what}"]["flooded"]["p99_ms"] / r[f"{port} {what}"]["quiet"]["p99_ms"])
            missed = m("grown_mb") > MEMORY_MB_MOST or times > P99_TIMES_MOST
            yield (f"| {port_title} | {what_title} | {m('opened'):,.0f} | +{m('grown_mb'):.1f} MB "
                   f"| {m('quiet', 'p50_ms'):.1f}, {m('flooded', 'p50_ms'):.1f} | {m('quiet', 'p99_ms'):.1f}, "
                   f"{m('flooded', 'p99_ms'):.1f} | {times:.2f}{' **missed**' if missed else ''} "
                   f"| {m('quiet', 'reconnect_s'):.1f}, {m('flooded', 'reconnect_s'):.1f} |")
    yield ""
    yield (f"{SOCKETS:,} connections at once that nobody has admitted, from 40 addresses of loopback, each opened anew as soon as it "
           "is ended, by a program on the same machine. The honest side: one request after the other from the terminal to the "
           "district, and another terminal that starts and connects. Memory: the most that hub or town had beyond what it had before.")
