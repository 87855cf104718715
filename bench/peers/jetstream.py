import subprocess

from district import Failed, free_port

from .process import TIERS, Peer


class Jetstream(Peer):
    title, program = "NATS JetStream", "bench_jetstream"
    needs = ("nats-server",)
    keeps = ("a stream on disk at each tier, written before the ack but not synced: the server syncs every two minutes "
             "(its documentation: sync_interval), so a power cut can take what was acknowledged since.")

    def start_servers(self):
        leaf = {tier: free_port() for tier in TIERS}
        for tier in TIERS:
            store = self.folder / str(tier)
            store.mkdir()
            self.prepare_store(store)
            remote = f'remotes: [{{ url: "nats://127.0.0.1:{leaf[tier + 1]}" }}]' if tier < TIERS[-1] else ""
            listen = f"listen: 127.0.0.1:{leaf[tier]}" if tier > TIERS[0] else ""
            (self.folder / f"{tier}.conf").write_text(
                f'listen: 127.0.0.1:{self.ports[tier]}\nserver_name: t{tier}\n'
                f'jetstream {{ store_dir: "{store}", domain: t{tier}, max_file_store: 20G }}\n'
                f'leafnodes {{\n{listen}\n{remote}\n}}\n')
            self.servers[tier] = self.spawn(["nats-server", "-c", self.folder / f"{tier}.conf"], f"{tier}.log")
        for tier in TIERS:
            self.wait_port(tier)

    def prepare_store(self, store):
        pass

    def arguments(self):
        return [f"nats://127.0.0.1:{self.ports[tier]}" for tier in TIERS]


class JetstreamSync(Jetstream):
    title = "NATS JetStream, synchronous writes"
    needs = ("nats-server", "chattr")
    keeps = ("a stream on disk at each tier, each write on the disk before the ack. This version has no setting for it "
             "(later ones: sync_interval always): the folder carries the file system's attribute S, which makes each write "
             "synchronous and is inherited.")

    def prepare_store(self, store):
        done = subprocess.run(["chattr", "+S", store], capture_output=True, text=True)
        if done.returncode:
            raise Failed(f"{self.title}: the file system takes no attribute S: {done.stderr.strip()}")
