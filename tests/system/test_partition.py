#!/usr/bin/env python3
"""A taste of tests/partition: real network stacks, cables cut one way, a line that loses and doubles, all at the same time.

`tests/run partition` tries much more, and takes a quarter of an hour.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import network  # noqa: E402
import parted  # noqa: E402
import report  # noqa: E402

DEAF, DUMB, BAD = (f"{parted.TOWN}{site:03}-T1" for site in (1, 2, 3))


class Taste(parted.Case):
    drained_s = None
    lenient_s = 60  # how soon is measured over there

    def test_cut_one_way_beside_a_bad_line(self):
        district = self.spread(sites=3).start()
        self.people_at(district)
        deaf, dumb, bad = (district.terminals[place] for place in (DEAF, DUMB, BAD))
        self.net.cable(bad).both("loss=100 twice=200 delay=20 jitter=40")
        self.net.cable(deaf).down("cut")
        self.net.cable(dumb).up("cut")
        self.wait_noticed(deaf)
        self.wait_noticed(dumb)
        self.passes(bad)
        for node in (deaf, dumb):
            self.net.cable(node).mend()
        for node in (deaf, dumb):
            self.wait_back(node)
            self.passes(node)
        self.storm.end()
        self.say(self.storm.told())
        self.wait_drained(district)
        self.check_tapes(self.storm)


if __name__ == "__main__":
    network.allow()
    report.main()
