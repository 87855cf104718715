"""What a system does to the disk before it says done: watched, not believed.

counts   one request at a time: calls of fsync and its kin by the processes of each tier, and flushes the disk was asked
         for by anybody, for each request
waits    each tier in turn has its calls of fsync delayed by 20 ms (strace injects it): if a request then takes that
         much longer, it waits for the disk of that tier
"""
import collections
import contextlib
import pathlib
import signal
import subprocess
import time

from district import Failed

from .process import TIERS

CALLS = "fsync,fdatasync,sync_file_range,syncfs,msync"
DELAY_MS = 20
REQUESTS = 100
DELAYED_REQUESTS = 20


@contextlib.contextmanager
def traced(pids, log, *words):
    command = ["strace", "-f", "-qq", "-o", log, *words]
    for pid in pids:
        command += ["-p", str(pid)]
    try:
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    except FileNotFoundError as error:
        raise Failed(str(error)) from None
    try:
        end = time.monotonic() + 20
        while any("TracerPid:\t0\n" in text for text in map(_status, pids) if text):
            if process.poll() is not None or time.monotonic() > end:
                raise Failed("strace cannot look at the processes: " + (process.stderr.read() if process.poll() else ""))
            time.sleep(0.05)
        yield
    finally:
        process.send_signal(signal.SIGINT)  # it lets go of them
        try:
            process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _status(pid):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/status").read_text()
    return ""


def _disk(folder):
    source = subprocess.run(["findmnt", "-n", "-o", "SOURCE", "-T", folder], capture_output=True, text=True).stdout.strip()
    path = pathlib.Path("/sys/class/block", pathlib.Path(source).resolve().name).resolve()
    return path if (path / "queue").exists() else path.parent  # a partition lies in its disk


def _flushes(disk):
    with contextlib.suppress(OSError, IndexError):
        return int((disk / "stat").read_text().split()[15])
    return 0


def count_syncs(system, folder):
    """For each request, one at a time: calls by tier, and flushes of the disk."""
    disk, out = _disk(folder), {}
    before = _flushes(disk)
    system.order(f"count 1 1 {REQUESTS}")
    out["flushes"] = (_flushes(disk) - before) / REQUESTS
    logs = {tier: folder / f"calls-{tier}" for tier in TIERS}
    with contextlib.ExitStack() as stack:
        for tier in TIERS:
            stack.enter_context(traced(system.pids(tier), logs[tier], "-e", f"trace={CALLS}"))
        system.order(f"count 1 1 {REQUESTS}")
    for tier in TIERS:
        lines = logs[tier].read_text(errors="replace").splitlines()
        calls = collections.Counter(name for line in lines for name in CALLS.split(",") if f" {name}(" in line)
        out[tier] = {"calls": sum(calls.values()) / REQUESTS, "names": sorted(calls)}
        logs[tier].unlink()
    return out


def find_waits(system, folder):
    """The tiers whose disk a request waits for, one at a time."""
    waits = []
    for tier in TIERS:
        with traced(system.pids(tier), "/dev/null", "-e", "trace=fsync,fdatasync"):
            plain = system.order(f"count 1 1 {DELAYED_REQUESTS}")["p50_ms"]
        with traced(system.pids(tier), "/dev/null", "-e", "trace=fsync,fdatasync",
                    "-e", f"inject=fsync,fdatasync:delay_enter={DELAY_MS * 1000}"):
            delayed = system.order(f"count 1 1 {DELAYED_REQUESTS}")["p50_ms"]
        if delayed - plain > DELAY_MS / 2:
            waits.append(tier)
    return waits
