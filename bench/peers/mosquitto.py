import os
import shutil

from .process import TIERS, Peer

SERVER = shutil.which("mosquitto") or "/usr/sbin/mosquitto"


class Mosquitto(Peer):
    title, program = "mosquitto, bridges with QoS 1", "bench_mosquitto"
    needs = (SERVER,)
    keeps = ("nothing on disk but a copy of its memory every 30 minutes and at its end (its documentation: "
             "autosave_interval), so a power cut takes everything since; and a broker holds a message only until the next "
             "one has confirmed it.")

    def start_servers(self):
        for tier in TIERS:
            place = self.folder / str(tier)
            place.mkdir()
            lines = [f"listener {self.ports[tier]} 127.0.0.1", "allow_anonymous true", "persistence true",
                     f"persistence_location {place}/", "max_inflight_messages 0", "max_queued_messages 0",
                     "set_tcp_nodelay true"]
            if os.getuid() == 0:
                lines.append("user root")  # the folder is root's
            if tier < TIERS[-1]:
                lines += ["connection up", f"address 127.0.0.1:{self.ports[tier + 1]}", f"remote_clientid t{tier}",
                          "cleansession false", "notifications false", "restart_timeout 1", "topic up out 1", "topic acks in 0"]
            (self.folder / f"{tier}.conf").write_text("\n".join(lines) + "\n")
            self.servers[tier] = self.spawn([SERVER, "-c", self.folder / f"{tier}.conf"], f"{tier}.log")
        for tier in TIERS:
            self.wait_port(tier)

    def arguments(self):
        return self.ports[1], self.ports[3]
