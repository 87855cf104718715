import os
import pathlib
import secrets

from district import free_port

from .process import TIERS, Peer

SERVER = pathlib.Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
QUORUM = '{arguments, [{<<"x-queue-type">>, longstr, <<"quorum">>}]}'
QUEUES = {"up": f'{{\'queue.declare\', [{{queue, <<"up">>}}, durable, {QUORUM}]}}',
          "acks": "{'queue.declare', [{queue, <<\"acks\">>}]}"}


class Rabbitmq(Peer):
    title, program = "RabbitMQ, quorum queues and shovels", "bench_rabbitmq"
    needs = (SERVER, "epmd")
    keeps = ("each message in the write-ahead log of a quorum queue, fsync before the confirm, and the shovel (ack-mode "
             "on-confirm) lets it go at the tier below only after that: on disk at one tier at least, not kept at all three. "
             "One member a queue, as one machine a tier has.")

    def _shovel(self, name, queue, source, target, mode):
        def side(tier):
            return f'{{uris, ["amqp://127.0.0.1:{self.ports[tier]}"]}}, {{declarations, [{QUEUES[queue]}]}}'
        return (f'{{{name}, [{{source, [{{protocol, amqp091}}, {side(source)}, {{queue, <<"{queue}">>}}, {{prefetch_count, 1000}}]}},'
                f' {{destination, [{{protocol, amqp091}}, {side(target)}, {{publish_fields, [{{exchange, <<>>}},'
                f' {{routing_key, <<"{queue}">>}}]}}]}}, {{ack_mode, {mode}}}, {{reconnect_delay, 1}}]}}')

    def _configuration(self, tier):
        shovels = []
        if tier < TIERS[-1]:  # the lower tier keeps up the link, as it does in the product
            shovels = [self._shovel("up", "up", tier, tier + 1, "on_confirm"),
                       self._shovel("acks", "acks", tier + 1, tier, "no_ack")]
        return (f'[{{rabbit, [{{tcp_listeners, [{{"127.0.0.1", {self.ports[tier]}}}]}}, {{loopback_users, [<<"guest">>]}}]}},\n'
                f' {{rabbitmq_shovel, [{{shovels, [{", ".join(shovels)}]}}]}}].\n')

    def start_servers(self):
        mapper = free_port()
        (self.folder / ".erlang.cookie").write_text(secrets.token_hex(16))
        (self.folder / ".erlang.cookie").chmod(0o400)
        (self.folder / "plugins").write_text("[rabbitmq_shovel].\n")
        common = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(self.folder), "ERL_EPMD_PORT": str(mapper),
                  "ERL_EPMD_ADDRESS": "127.0.0.1", "RABBITMQ_CONF_ENV_FILE": "/dev/null",
                  "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
                  "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}"}
        self.helpers.append(self.spawn(["epmd", "-address", "127.0.0.1", "-port", mapper], "epmd.log", common))
        for tier in TIERS:
            place = self.folder / str(tier)
            place.mkdir()
            (place / "advanced.config").write_text(self._configuration(tier))
            (place / "rabbitmq.conf").touch()
            own = {"RABBITMQ_NODENAME": f"t{tier}@localhost", "RABBITMQ_DIST_PORT": str(free_port()),
                   "RABBITMQ_CONFIG_FILE": str(place / "rabbitmq.conf"),
                   "RABBITMQ_ADVANCED_CONFIG_FILE": str(place / "advanced.config"),
                   "RABBITMQ_MNESIA_BASE": str(place / "data"), "RABBITMQ_LOG_BASE": str(place / "log"),
                   "RABBITMQ_PID_FILE": str(place / "pid")}
            self.servers[tier] = self.spawn([SERVER], f"{tier}.log", common | own)
        for tier in TIERS:
            self.wait_port(tier)

    def arguments(self):
        return self.ports[1], self.ports[3]
