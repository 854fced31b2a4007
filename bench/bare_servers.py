# SPDX-License-Identifier: Apache-2.0
"""The floor that Mysos is measured against: bare servers on loopback, set up and failed over by a script that does only
what must be done and knows all it needs beforehand. Same durability, same semi-sync, same writers as under Mysos."""
import contextlib
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pymysql

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "system"))
from mysos_process import MYSQL9, free_port  # noqa: E402

PASSWORD = "bench-only-password"
START_SECONDS = 60
RUN_AS = "nobody" if os.geteuid() == 0 else None

WORDS = {  # what the flavours call the same things
    "mariadb": {"replica": "SLAVE", "source_on": "rpl_semi_sync_master_enabled", "io": "Slave_IO_Running",
                "sql": "Slave_SQL_Running"},
    "mysql": {"replica": "REPLICA", "source_on": "rpl_semi_sync_source_enabled", "io": "Replica_IO_Running",
              "sql": "Replica_SQL_Running"},
}


def _program(flavour):
    if flavour == "mariadb":
        return ["/usr/sbin/mariadbd", "--no-defaults"]
    share = MYSQL9 / "usr" / "share" / "mysql"
    return [str(MYSQL9 / "usr" / "sbin" / "mysqld"), "--no-defaults", f"--basedir={MYSQL9 / 'usr'}",
            f"--lc-messages-dir={share}", f"--character-sets-dir={share / 'charsets'}",
            f"--plugin-dir={MYSQL9 / 'usr' / 'lib' / 'mysql' / 'plugin'}", "--secure-file-priv=", "--mysqlx=OFF"]


def _as_user():
    return {"user": RUN_AS, "group": "nogroup", "extra_groups": []} if RUN_AS else {}


def _give(path):
    if RUN_AS:
        subprocess.run(["chown", "-R", f"{RUN_AS}:nogroup", str(path)], check=True, timeout=60)


def make_template(flavour, folder):
    """A data directory, made once; servers get copies."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True)
    _give(folder)
    if flavour == "mariadb":
        command = ["mariadb-install-db", "--no-defaults", f"--datadir={folder}", "--skip-test-db",
                   "--auth-root-authentication-method=normal", "--skip-name-resolve"]
    else:
        command = _program(flavour) + ["--initialize-insecure", f"--datadir={folder}"]
    subprocess.run(command, check=True, timeout=120, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   **_as_user())
    (folder / "auto.cnf").unlink(missing_ok=True)  # the server's uuid: each copy makes its own
    return folder


class Server:
    def __init__(self, flavour, folder, template, number):
        self.flavour, self.number = flavour, number
        self.folder = pathlib.Path(folder) / f"server-{number}"
        self.port = free_port()
        self.process = None
        subprocess.run(["cp", "-a", "--reflink=auto", str(template), str(self.folder)], check=True, timeout=60)

    def options(self):
        common = [f"--datadir={self.folder}", f"--socket={self.folder}/s.sock", f"--port={self.port}",
                  "--bind-address=127.0.0.1", f"--pid-file={self.folder}/pid", f"--log-error={self.folder}/error.log",
                  f"--server-id={100 + self.number}", "--log-bin=binlog", "--relay-log=relay", "--sync-binlog=1",
                  "--sync-relay-log=1", "--innodb-flush-log-at-trx-commit=1",
                  "--innodb-buffer-pool-size=128M", "--skip-name-resolve",
                  "--report-host=127.0.0.1", f"--report-port={self.port}", "--performance-schema=OFF"]
        if self.flavour == "mariadb":
            return common + ["--log-slave-updates=ON", "--gtid-strict-mode=ON", "--binlog-format=ROW",
                             "--slave-parallel-threads=4", "--slave-net-timeout=4", "--skip-slave-start=ON",
                             "--rpl-semi-sync-slave-enabled=ON", "--rpl-semi-sync-master-wait-point=AFTER_SYNC",
                             "--rpl-semi-sync-master-timeout=3600000"]
        return common + ["--gtid-mode=ON", "--enforce-gtid-consistency=ON", "--replica-net-timeout=4",
                         "--skip-replica-start=ON", "--plugin-load-add=semisync_source.so",
                         "--plugin-load-add=semisync_replica.so", "--rpl-semi-sync-replica-enabled=ON",
                         "--rpl-semi-sync-source-wait-for-replica-count=1", "--rpl-semi-sync-source-timeout=3600000"]

    def start(self):
        self.process = subprocess.Popen(_program(self.flavour) + self.options(), cwd="/", stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
                                        **_as_user())

    def wait_up(self):
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                return self.root().close()
            except pymysql.err.MySQLError:
                if self.process.poll() is not None or time.monotonic() > end:
                    tail = (self.folder / "error.log").read_text(errors="replace")[-1500:]
                    raise RuntimeError(f"a bare {self.flavour} server did not start:\n{tail}") from None
                time.sleep(0.002)

    def root(self):
        return pymysql.connect(unix_socket=str(self.folder / "s.sock"), user="root", password="", autocommit=True)

    def do(self, *statements):
        with contextlib.closing(self.root()) as connection:
            return [ask(connection, s) for s in statements][-1]

    def follow(self, source):
        self.do(change_source(self.flavour, source.port), f"START {WORDS[self.flavour]['replica']}")

    def end(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait(20)


def ask_all(connection, sql):
    """The rows, as dicts."""
    with connection.cursor(pymysql.cursors.DictCursor) as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def ask(connection, sql):
    """The first row as a dict, or None."""
    rows = ask_all(connection, sql)
    return rows[0] if rows else None


def change_source(flavour, port):
    if flavour == "mysql":
        return (f"CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT={port}, SOURCE_USER='replicator', "
                f"SOURCE_PASSWORD='{PASSWORD}', SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1, SOURCE_CONNECT_RETRY=1")
    return (f"CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={port}, MASTER_USER='replicator', "
            f"MASTER_PASSWORD='{PASSWORD}', MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1")


class BareCluster:
    """One primary and two replicas; `seconds` is what it took from the template to the first acknowledged write."""

    def __init__(self, flavour, folder, template, members=3):
        self.flavour = flavour
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True)
        began = time.monotonic()
        self.servers = [Server(flavour, folder, template, i) for i in range(members)]
        _give(folder)
        try:
            for server in self.servers:
                server.start()
            for server in self.servers:
                server.wait_up()
            self._replicate()
        except BaseException:
            self.close()
            raise
        self.seconds = time.monotonic() - began

    def _replicate(self):
        self.primary = self.servers[0]
        self.primary.do(f"CREATE USER replicator@'%' IDENTIFIED BY '{PASSWORD}'",
                        "GRANT REPLICATION SLAVE ON *.* TO replicator@'%'",
                        f"CREATE USER app@'%' IDENTIFIED BY '{PASSWORD}'",
                        "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, INDEX, ALTER ON *.* TO app@'%'")
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda s: s.follow(self.primary), self.servers[1:]))
        end = time.monotonic() + START_SECONDS
        while not all(self._receives(s) for s in self.servers[1:]):
            if time.monotonic() > end:
                raise RuntimeError("the bare replicas do not replicate")
            time.sleep(0.002)
        for server in self.servers[1:]:
            server.do("SET GLOBAL read_only = ON")
        self.primary.do(f"SET GLOBAL {WORDS[self.flavour]['source_on']} = ON", "CREATE DATABASE first_write")

    def _receives(self, server):
        status = server.do(f"SHOW {WORDS[self.flavour]['replica']} STATUS")
        words = WORDS[self.flavour]
        return status is not None and status[words["io"]] == "Yes" and status[words["sql"]] == "Yes"

    def address(self):
        return "127.0.0.1", self.primary.port

    def arm_failover(self):
        """Opens what the failover needs and returns it: kill -9 of the primary is seen by the kernel's word on the process,
        the replica that received most is chosen, drained, promoted; the other follows it."""
        words = WORDS[self.flavour]
        old = self.primary
        candidates = [(s, s.root()) for s in self.servers if s is not old and s.process.poll() is None]
        watch = os.pidfd_open(old.process.pid)

        def run():
            with contextlib.closing(os.fdopen(watch, "rb", closefd=True)), ThreadPoolExecutor(4) as pool:
                select.select([watch], [], [], START_SECONDS)

                def freeze(candidate):
                    ask(candidate[1], f"STOP {words['replica']} IO_THREAD")
                    return ask(candidate[1], f"SHOW {words['replica']} STATUS")

                seen = list(pool.map(freeze, candidates))
                best = max(range(len(seen)), key=lambda i: self._position(seen[i]))
                chosen, connection = candidates[best]
                self._drain(connection, seen[best])
                ask(connection, f"STOP {words['replica']}")

                others = [pool.submit(self._repoint, c[1], chosen) for i, c in enumerate(candidates) if i != best]
                ask(connection, f"RESET {words['replica']} ALL")
                ask(connection, f"SET GLOBAL {words['source_on']} = ON")
                ask(connection, "SET GLOBAL read_only = OFF")
                self.primary = chosen
                for other in others:
                    other.result()
            for _, connection in candidates:
                connection.close()

        return run

    def arm_switchover(self):
        """The same for a switchover: the old primary is closed, the first replica has what it wrote, is promoted; both others
        follow it."""
        words = WORDS[self.flavour]
        old, (target, *rest) = self.primary, [s for s in self.servers if s is not self.primary]
        connections = {s: s.root() for s in self.servers}
        executed = "gtid_binlog_pos" if self.flavour == "mariadb" else "gtid_executed"

        def run():
            with ThreadPoolExecutor(4) as pool:
                ask(connections[old], "SET GLOBAL read_only = ON")
                for session in ask_all(connections[old], "SHOW PROCESSLIST"):
                    if session["User"] == "app":
                        with contextlib.suppress(pymysql.err.MySQLError):
                            ask(connections[old], f"KILL {session['Id']}")
                position = ask(connections[old], f"SELECT @@GLOBAL.{executed} AS p")["p"].replace("\n", "")
                self._wait_executed(connections[target], position)
                ask(connections[target], f"STOP {words['replica']}")
                others = [pool.submit(self._repoint, connections[s], target) for s in (*rest, old)]
                ask(connections[target], f"RESET {words['replica']} ALL")
                ask(connections[target], f"SET GLOBAL {words['source_on']} = ON")
                ask(connections[target], "SET GLOBAL read_only = OFF")
                self.primary = target
                for other in others:
                    other.result()
            for connection in connections.values():
                connection.close()

        return run

    def _repoint(self, connection, to):
        words = WORDS[self.flavour]
        ask(connection, f"STOP {words['replica']}")
        ask(connection, f"SET GLOBAL {words['source_on']} = OFF")
        if self.flavour == "mariadb":  # of a former primary, what it wrote itself
            ask(connection, "SET GLOBAL gtid_slave_pos = @@GLOBAL.gtid_current_pos")
        ask(connection, change_source(self.flavour, to.port))
        ask(connection, f"START {words['replica']}")

    def _position(self, status):
        """(received, executed) as numbers: who has received most, and of those the one with the least left to apply."""
        def last(text):
            return max([int(n) for n in re.findall(r"[-:](\d+)(?=[,\s:]|$)", text or "")], default=0)

        if self.flavour == "mariadb":
            return last(status["Gtid_IO_Pos"]), 0
        executed = last(status["Executed_Gtid_Set"])
        return max(last(status["Retrieved_Gtid_Set"]), executed), executed

    def _drain(self, connection, status):
        if self.flavour == "mariadb":
            self._wait_executed(connection, status["Gtid_IO_Pos"])
        elif received := status["Retrieved_Gtid_Set"].replace("\n", ""):
            self._wait_executed(connection, received)

    def _wait_executed(self, connection, position):
        function = "MASTER_GTID_WAIT" if self.flavour == "mariadb" else "WAIT_FOR_EXECUTED_GTID_SET"
        if ask(connection, f"SELECT {function}('{position}', 60) AS code")["code"] != 0:
            raise RuntimeError("the relay log was not applied within a minute")

    def kill_primary(self):
        os.kill(self.primary.process.pid, signal.SIGKILL)
        return time.monotonic()

    def close(self):
        for server in self.servers:
            server.end()
            shutil.rmtree(server.folder, ignore_errors=True)
