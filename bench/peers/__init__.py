"""The product beside its peers: the same work, the same machine, one after the other in each round.

Work: requests of 512 bytes enter at tier 1 and go to tier 3 by way of tier 2; one is done when tier 1 has learned that
tier 3 has it. Three private instances of each system, on loopback, with fresh data in each round.
"""
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from district import Failed
from path import Path, median

from . import watch
from .jetstream import Jetstream, JetstreamSync
from .mosquitto import Mosquitto
from .postgres import Postgres
from .process import TIERS
from .rabbitmq import Rabbitmq

HERE = pathlib.Path(__file__).resolve().parent
TARGETS = ["lm-hub", "lm-subcenter", "lm-terminal", "lmctl", "bench_terminal"]
SHAPES = (("8 128", "8×128"), ("64 16", "64×16"), ("64 1", "64×1"), ("1 1", "1×1"))
RATES = SHAPES[:3]


class Product(Path):
    """As the others look: start, order, pids, stop."""
    title, program = "Last Mile", "bench_terminal"
    keeps = ("every request in the log of each tier, for good, sealed, chained and signed, and applied to its tables: fsync "
             "at each tier before its ack, all of it made again from the log if need be.")

    def __init__(self, folder, build):
        folder.mkdir()
        super().__init__(folder, build, preload=False)

    @classmethod
    def missing(cls, build):
        return []

    def order(self, text):
        answer = super().order(text)
        answer["per_s"] = answer["requests"] / answer["seconds"]
        return answer

    def pids(self, tier):
        return [(self.process, self.town.process, self.district.hub.process)[tier - 1].pid]

    def stop(self):
        self.check()
        self.kill()  # its data is thrown away, as that of the others


SYSTEMS = (Product, Postgres, Rabbitmq, JetstreamSync, Jetstream, Mosquitto)


def prepare(build, say):
    """Installs and builds what is missing, and says what cannot be had."""
    say("the peers are installed where they are missing")
    if subprocess.run([HERE / "install"]).returncode:
        sys.exit("bench/run peers needs the packages that bench/peers/install installs")
    for words in (["cmake", "-S", HERE.parents[1], "-B", build], ["ninja", "-C", build, *(peer.program for peer in SYSTEMS)]):
        done = subprocess.run(words, capture_output=True, text=True)
        if done.returncode:
            sys.exit((done.stdout + done.stderr)[-4000:])
    for peer in SYSTEMS:
        if missing := peer.missing(build):
            sys.exit(f"{peer.title} cannot run, these are missing: {', '.join(missing)}")


def measure_system(kind, folder, build, seconds, must_watch, say):
    system = kind(folder / "x", build)
    try:
        system.start()
        say(kind.title)
        system.order("load 8 128 500")
        out = {shape: system.order(f"load {shape} {int(seconds * 1000)}") for shape, _ in SHAPES}
        if must_watch:
            try:
                out["syncs"], out["waits"] = watch.count_syncs(system, folder), watch.find_waits(system, folder)
            except Failed as failed:
                say(f"{kind.title} is not watched: {failed}")
        system.stop()
        return out
    finally:
        (system.kill if kind is Product else system.stop)()


def run(build, folder, options, say):
    """For each round, what each system did, by title. Who goes first changes with the round."""
    prepare(build, say)
    results = []
    for number in range(options.rounds):
        results.append({})
        for at in range(len(SYSTEMS)):
            kind = SYSTEMS[(number + at) % len(SYSTEMS)]
            place = pathlib.Path(tempfile.mkdtemp(prefix="p", dir=folder))
            place.chmod(0o711)  # PostgreSQL's user walks through it
            os.sync()
            try:
                results[-1][kind.title] = measure_system(kind, place, build, options.seconds, number == 0,
                                                         lambda what: say(f"round {number + 1}/{options.rounds}: {what}"))
            finally:
                shutil.rmtree(place, ignore_errors=True)
    return results


# ---- the tables ----

def rates_table(results):
    yield "| system | " + " | ".join(f"{name} req/s" for _, name in RATES) + " | 1×1 p50 ms | p99 ms |"
    yield "|---|---|---|---|---|---|"
    for kind in SYSTEMS:
        rates = " | ".join(f"{median(results, kind.title, shape, 'per_s'):,.0f}" for shape, _ in RATES)
        p50, p99 = (median(results, kind.title, "1 1", key) for key in ("p50_ms", "p99_ms"))
        yield f"| {kind.title} | {rates} | {p50:.2f} | {p99:.2f} |"


def ratio(results, kind, shape, key="per_s"):
    """The product to this peer, within each round."""
    return median(results, lambda r: r[Product.title][shape][key] / r[kind.title][shape][key])


def ratios_table(results):
    yield "| the product to | " + " | ".join(f"{name} req/s" for _, name in RATES) + " | 1×1 p50 |"
    yield "|---|---|---|---|---|"
    for kind in SYSTEMS[1:]:
        rates = " | ".join(f"{ratio(results, kind, shape):.2f} ×" for shape, _ in RATES)
        yield f"| {kind.title} | {rates} | {ratio(results, kind, '1 1', 'p50_ms'):.2f} × |"


def goals_table(results):
    yield "| goal, at 8×128 and 64×16 | measured | |"
    yield "|---|---|---|"
    for kind, least in ((Rabbitmq, 2), (JetstreamSync, 10)):
        got = min(ratio(results, kind, shape) for shape, _ in SHAPES[:2])
        yield f"| at least {least} × {kind.title} | {got:.1f} × | {'met' if got >= least else 'not met'} |"


def keeps_table(results):
    yield ("| system | calls of fsync and its kin a request: tiers 1, 2, 3 | flushes of the disk a request | "
           "done waits for the fsync of tier | what it keeps |")
    yield "|---|---|---|---|---|"
    for kind in SYSTEMS:
        first, calls, flushes, waits = results[0][kind.title], "–", "–", "–"
        with contextlib.suppress(KeyError):
            calls = ", ".join(f"{first['syncs'][tier]['calls']:.1f}" for tier in TIERS)
            flushes = f"{first['syncs']['flushes']:.1f}"
            waits = ", ".join(map(str, first["waits"])) or "none"
        yield f"| {kind.title} | {calls} | {flushes} | {waits} | {kind.keeps} |"


TEXT = """\
T×W: producers × requests under way of each. The peers carry 512 bytes that mean nothing to them: no seal, no signature, no
chain, no form that is checked, no tables that follow, no recovery by replay, no encryption on the way. The product does all of
that to 512 bytes packed. Every system is as Debian 12 packages it, three instances on loopback with their data on the same disk,
and shares the machine's cores with its producers.

What "tier 1 has learned" means. The product: the district's ack, passed down by the town, has reached the terminal. PostgreSQL:
the positions that tier 2 and tier 3 have flushed, asked for at tiers 1 and 2. RabbitMQ, NATS, mosquitto: a consumer at tier 3,
which is served from the queue, the stream or the session, sends back the ids of all that have come meanwhile; shovels, leaf
nodes or bridges carry them down. Those messages need not survive, so they cost the peer nothing on the disk.

What was watched and what is believed. Calls, flushes and waits were watched in the first round, one request at a time: calls
by strace on the processes of each tier; flushes as the kernel counts them for the whole disk; waits by delaying the calls of
one tier by 20 ms and looking whether a request takes longer. Synchronous writes are no calls, so only the
flushes show them: NATS with the attribute, and the second of the two flushes of an LMDB commit. That a flush of this disk survives a power
cut was not tested. What is lost without one is from each system's documentation."""


def table(results, options):
    for part in (rates_table, ratios_table, goals_table, keeps_table):
        yield from part(results)
        yield ""
    yield TEXT
