#!/usr/bin/env python3
"""Lines that lose, double, delay and reorder packets, or swallow the large ones: work goes on over them, and nothing is lost
or doubled."""
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import lm  # noqa: E402
import network  # noqa: E402
import parted  # noqa: E402
import report  # noqa: E402

FIRST = f"{parted.TOWN}001-T1"
WORK_S = 40
WAY_S = 60  # for a request up to the district over such a line
TOO_SLOW_S = 60  # some handshakes that end in nothing
BACKLOG_S = 25
TUNNEL_BYTES = 1280  # what passes a line that swallows larger packets


class Lines(parted.Case):
    def work_over(self, faults, within=WAY_S):
        """People work for a while over cables that are all alike. A terminal is started anew and finds its town over them, and
        what is handed in in the end reaches the district: they are not mended."""
        district = self.spread().start()
        nodes = district.nodes[1:]
        self.people_at(district)
        for node in nodes:
            self.net.cable(node).both(faults)
        time.sleep(WORK_S)
        self.storm.stop_if_trouble()
        downs = sum(node.log.read_text().count('"event":"link-down"') for node in nodes)  # the restart ends a session, too
        terminal = district.terminals[FIRST]
        terminal.restart()
        self.wait_back(terminal, within)
        _, _, took = self.passes(terminal, within=within)
        told = [self.net.cable(node).up(faults) for node in nodes]
        carried, lost = (sum(one[key] for one in told) for key in ("carried", "lost"))
        resent = sum(parted.figure(node, "lm_resends_total") for node in district.nodes)
        self.say(f"{faults}: a request at the district after {took:.1f} s; {carried} packets went up, {lost} did not; "
                 f"{resent:.0f} messages sent again, {downs} times a link was down")
        self.finish()
        return downs

    def test_loss_of_10(self):
        self.assertEqual(0, self.work_over("loss=100 delay=20 jitter=5"))

    def test_loss_of_20(self):
        self.work_over("loss=200 delay=20 jitter=5")

    def test_loss_of_30(self):
        self.work_over("loss=300 delay=20 jitter=5")

    def test_doubled_and_out_of_order(self):
        self.assertEqual(0, self.work_over("twice=500 delay=30 jitter=60"))

    def test_a_satellite(self):
        self.assertEqual(0, self.work_over("delay=350 jitter=30 loss=10"))

    def test_a_second_each_way(self):
        self.work_over("delay=950 jitter=100")

    def test_slower_than_a_handshake(self):
        """Such a line is down, and not a fault of anybody's configuration: the terminal is ready to work all the time."""
        district = self.spread().start()
        self.people_at(district)
        terminal = district.terminals[FIRST]
        self.net.cable(terminal).both("delay=3500")
        terminal.restart()
        end = time.monotonic() + TOO_SLOW_S
        while time.monotonic() < end:
            self.assertFalse(self.says_up(terminal))
            time.sleep(0.5)
        self.assertNotIn("link-refused", terminal.log.read_text())
        self.net.cable(terminal).mend()
        self.wait_back(terminal)
        self.finish()

    def test_everything_at_once(self):
        self.work_over("loss=150 twice=200 delay=200 jitter=300")


class Swallowed(parted.Case):
    def test_large_packets_vanish(self):
        """And nobody says so, as where a tunnel lies on the way and its messages are filtered. What the installation sets
        (deploy/sysctl) makes the kernel find the size that passes."""
        district = self.spread()
        for host in self.net.hosts.values():
            for line in (lm.TOP / "deploy/sysctl/60-last-mile.conf").read_text().splitlines():
                if line and not line.startswith("#"):
                    name, value = line.split("=")
                    host.set(name.strip().removeprefix("net.").replace(".", "/"), value.strip())
        district.start()
        self.people_at(district)
        for node in district.nodes[1:]:
            self.net.cable(node).both("cut")  # so that there is a backlog, which goes in large packets
        time.sleep(BACKLOG_S)
        for node in district.nodes[1:]:
            self.net.cable(node).both(f"most={TUNNEL_BYTES}")
        for node in district.nodes[1:]:
            self.wait_back(node)
        _, _, took = self.passes(district.terminals[FIRST], within=WAY_S)
        lost = sum(self.net.cable(node).up(f"most={TUNNEL_BYTES}")["lost"] for node in district.nodes[1:])
        self.say(f"a request at the district after {took:.1f} s; {lost} packets were too large")
        self.assertGreater(lost, 0, "nothing was larger than the line takes")
        self.finish()


if __name__ == "__main__":
    network.allow()
    report.main()
