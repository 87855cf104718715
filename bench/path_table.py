"""The tables of `bench/run path`."""
import path
from path import median

SHAPES = (("8 128", "8×128"), ("64 16", "64×16"), ("64 1", "64×1"), ("1 1", "1×1"))


def loads_table(results):
    yield "| producers × under way | req/s | p50 ms | p99 ms | CPU µs a request: terminal, town, hub | bare LMDB, same writes, req/s | of it |"
    yield "|---|---|---|---|---|---|---|"
    for key, name in SHAPES:
        m = lambda *keys: median(results, "loads", key, *keys)  # noqa: E731
        bare = ratio = "–"
        if key in ("8 128", "64 16"):
            bare = f"{m('limit', 'per_s'):,.0f}"
            ratio = f"{median(results, 'loads', key, lambda r: r['per_s'] / r['limit']['per_s']):.0%}"
        yield (f"| {name} | {m('per_s'):,.0f} | {m('p50_ms'):.2f} | {m('p99_ms'):.2f} | {m('terminal_us'):.0f}, "
               f"{m('town_us'):.0f}, {m('hub_us'):.0f} | {bare} | {ratio} |")


def writes_table(results):
    yield "| what a request writes, at 8×128 | rows | bytes of keys and values | requests a commit |"
    yield "|---|---|---|---|"
    for number, tier in enumerate(path.TIERS):
        m = lambda key: median(results, "loads", "8 128", "limit", "tiers", number, key)  # noqa: E731
        yield f"| {tier} | {m('rows'):.1f} | {m('bytes_each'):,.0f} | {m('group'):.0f} |"


def parts_sum(load):
    p = load["parts"]
    return p["commits_ms"] + p["links_ms"] + p["sign_ms"] + 2 * p["check_ms"]


def verdict(is_met):
    return "met" if is_met else "not met"


def goals_table(results):
    ratio = min(median(results, "loads", key, lambda r: r["per_s"] / r["limit"]["per_s"]) for key in ("8 128", "64 16"))
    rate = min(median(results, "loads", key, "per_s") for key in ("8 128", "64 16"))
    p50 = median(results, "loads", "1 1", "p50_ms")
    whole = median(results, "loads", "1 1", parts_sum)
    times = median(results, "loads", "1 1", lambda r: r["p50_ms"] / parts_sum(r))
    m = lambda key: median(results, "loads", "1 1", "parts", key)  # noqa: E731
    memory = max(median(results, "loads", key, "highest_mb", tier) for key in ("8 128", "64 16") for tier in path.TIERS)
    idle = median(results, "idle_mb")
    marks = sorted(results[0]["growth"])
    costs = [median(results, "growth", mark, lambda r: sum(r[f"{tier}_us"] for tier in path.TIERS)) for mark in marks]
    drain = median(results, "drain_s")
    yield "| goal | measured | |"
    yield "|---|---|---|"
    yield f"| 8×128 and 64×16: at least 50 % of bare LMDB with the same writes | {ratio:.0%} | {verdict(ratio >= 0.5)} |"
    yield f"| at least 25,000 requests/s on 4 cores | {rate:,.0f} | {verdict(rate >= 25000)} |"
    yield (f"| 1×1: p50 at most 1.4 × the sum of its parts | {p50:.2f} ms, {times:.2f} × {whole:.2f} ms (three commits "
           f"{m('commits_ms'):.2f}, links {m('links_ms'):.2f}, signature {m('sign_ms'):.3f}, two verifications "
           f"{2 * m('check_ms'):.3f}) | {verdict(times <= 1.4)} |")
    yield f"| at most 32 MB of anonymous memory a tier, 1,024 under way | {memory:.1f} MB | {verdict(memory <= 32)} |"
    yield f"| at most 12 MB for an idle terminal | {idle:.1f} MB | {verdict(idle <= 12)} |"
    yield f"| a backlog of 10,000 drained in less than 10 s, from the start of the town | {drain:.1f} s | {verdict(drain < 10)} |"
    text = ", ".join(f"{mark:,}: {cost:.0f} µs" for mark, cost in zip(marks, costs))
    flat = max(costs) / min(costs) - 1
    yield f"| cost of a request flat (± 20 %) as they accumulate: CPU of all tiers | {text} | {verdict(flat <= 0.4)} |"


TEXT = """\
What each side keeps. The product: every request sealed to town and district, chained, signed, in the log of all three
tiers and applied to their tables, fsync before every ack, recoverable by replay, and verified by town and district before
they store it; "done" is when the terminal has learned that the district stored it. Bare LMDB: the same rows, keys, sizes
and groups committed with fsync by three environments at once; nothing sealed, signed, verified, read, or sent.
Payload: 512 bytes packed, answers that pass the form of the service home-adaptation. The terminal under load is the
terminal's own library in the process of the producers (their CPU and memory are counted with it); town and hub are the
daemons. Receipts are drawn, not stretched: the daemon stretches them ahead of time."""


def table(results, options):
    for part in (loads_table, goals_table, writes_table):
        yield from part(results)
        yield ""
    yield TEXT
