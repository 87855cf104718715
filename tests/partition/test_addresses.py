#!/usr/bin/env python3
"""Addresses that change, and a router in between that forgets who is behind it: the link comes back by itself."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import network  # noqa: E402
import parted  # noqa: E402
import report  # noqa: E402

FIRST = f"{parted.TOWN}001-T1"
TIMES = 3
RULES = """
flush ruleset
table ip nat {{
	chain forget {{ type filter hook prerouting priority raw; ct zone set {zone}; }}
	chain hide {{ type nat hook postrouting priority srcnat; oifname "{device}" masquerade; }}
	chain pass {{ type filter hook forward priority filter; ct state invalid drop; }}
}}
"""


class Addresses(parted.Case):
    def test_a_new_address(self):
        """As when a router begins to give others, or a radio dials in again: the old one is gone in the middle of it."""
        district = self.spread().start()
        self.people_at(district, requests_most=100)
        for node in (district.terminals[FIRST], district.towns[parted.TOWN]):
            cable, host = self.net.cable(node), self.net.hosts[node]
            old = cable.lower_address
            for nth in range(3, 3 + TIMES):
                new = old.rsplit(".", 1)[0] + f".{nth}"
                host.ip("address", "add", f"{new}/29", "dev", cable.device)
                host.ip("address", "del", f"{old}/29", "dev", cable.device)
                host.ip("address", "replace", f"{new}/29", "dev", cable.device)
                old = new
                self.wait_noticed(node)
                self.wait_back(node)
                self.passes(district.terminals[FIRST])
        self.finish()


class Router(parted.Case):
    def test_it_forgets(self):
        """All terminals of a town are behind one address; then the router knows none of their connections any more, and drops
        what belongs to none."""
        district = self.spread()
        town = district.towns[parted.TOWN]
        router = network.Host(self, "router")
        router.set("ipv4/ip_forward", 1)
        outside = self.net.new_cable(router, self.net.hosts[town])
        terminals = list(district.terminals.values())
        for terminal in terminals:
            host = self.net.hosts[terminal]
            inside = self.net.new_cable(host, router)
            host.ip("route", "add", "default", "via", inside.upper_address)
            terminal.settings["upstream"] = f"tcp://{outside.upper_address}:{self.net.link_port(town)}"
        self.forget(router, outside, 1)
        router.set("netfilter/nf_conntrack_tcp_loose", 0)
        district.start()
        self.people_at(district, requests_most=100)
        for zone in range(2, 2 + TIMES):
            self.forget(router, outside, zone)
            for terminal in terminals:
                self.wait_noticed(terminal)
            for terminal in terminals:
                self.wait_back(terminal)
                self.passes(terminal)
        self.finish()

    def forget(self, router, outside, zone):
        """What it knew lies in another zone."""
        router.run("nft", "-f", "-", stdin=RULES.format(zone=zone, device=outside.device))


if __name__ == "__main__":
    network.allow()
    report.main()
