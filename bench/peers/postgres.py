import glob
import os
import pathlib
import pwd
import signal
import subprocess

from district import Failed

from .process import TIERS, Peer


def _folder_of_programs():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda path: int(path.split("/")[4]))
    return pathlib.Path(found[-1]).parent if found else pathlib.Path("/usr/lib/postgresql/bin")


BIN = _folder_of_programs()
SETTINGS = """\
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
wal_level = logical
fsync = on
synchronous_commit = on
shared_buffers = 128MB
max_wal_size = 4GB
max_connections = 50
"""


class Postgres(Peer):
    title, program = "PostgreSQL, logical replication", "bench_postgres"
    needs = (BIN / "initdb", BIN / "postgres", "psql")
    keeps = ("every row in a table of each tier, for good; commit at tier 1 and the apply workers of tiers 2 and 3 wait for "
             "their fsync, and positions move only past what is flushed. Rows gathered by 8 connections into commits of at "
             "most 64; tier 1 asks tier 2 for the positions every 0.2 ms.")

    def _run(self, *words):
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True, cwd="/", timeout=120,
                              user=self.user, group=self.user, extra_groups=[] if self.user else None)
        if done.returncode:
            raise Failed(f"{self.title}: {words[0]}: {done.stderr.strip()}")

    @property
    def user(self):
        """PostgreSQL does not run as root: then Debian's user for it."""
        return "postgres" if os.getuid() == 0 else None

    def conninfo(self, tier):
        return f"host=127.0.0.1 port={self.ports[tier]} dbname=postgres user=lm"

    def _sql(self, tier, *statements):
        for statement in statements:
            self._run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement, self.conninfo(tier))

    def start_servers(self):
        for tier in TIERS:
            data = self.folder / str(tier)
            data.mkdir(mode=0o700)
            if self.user:
                os.chown(data, pwd.getpwnam(self.user).pw_uid, -1)
            self._run(BIN / "initdb", "-D", data, "-U", "lm", "-A", "trust", "-N", "--no-locale", "-E", "UTF8")
            with open(data / "postgresql.conf", "a") as conf:
                conf.write(SETTINGS + f"port = {self.ports[tier]}\n")
            self.servers[tier] = self.spawn([BIN / "postgres", "-D", data], f"{tier}.log", user=self.user)
        for tier in TIERS:
            self.wait_port(tier)
            self._run(BIN / "pg_isready", "-q", "-t", "60", "-h", "127.0.0.1", "-p", self.ports[tier])
            self._sql(tier, "CREATE TABLE request (id bigserial PRIMARY KEY, body bytea NOT NULL)")
        for tier in TIERS[1:]:
            self._sql(tier - 1, "CREATE PUBLICATION up FOR TABLE request")
            self._sql(tier, f"CREATE SUBSCRIPTION up CONNECTION '{self.conninfo(tier - 1)}' PUBLICATION up "
                            "WITH (slot_name = 'up', synchronous_commit = 'local', copy_data = false)")

    def arguments(self):
        return self.conninfo(1), self.conninfo(2)

    def end_server(self, process):
        process.send_signal(signal.SIGQUIT)  # at once, and its shared memory is given back
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            super().end_server(process)
