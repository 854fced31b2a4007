# SPDX-License-Identifier: Apache-2.0
"""Members that are rebuilt as copies of others: an errant one, under writes, while recipients, donors and primaries die."""
import contextlib
import json
import os
import pathlib
import re
import subprocess

import pymysql
import pytest

from conftest import Shop
from faults import frozen, kill, server_of
from mysos_process import (HEAL_SECONDS, MYSQL9, command_line, executor_of, processes_under, wait_for)

FILL_MB = 36
PACE = 0.02
COPY_SECONDS = 150
ERRANT_ROW = "only_here"


def volume_of(folder, at):
    """The member's volume, by the command line of its server."""
    found = re.search(r"--defaults-file=(\S+)/mysql/my\.cnf", command_line(server_of(folder, at)))
    return pathlib.Path(found.group(1))


def as_admin(volume, *statements):
    """Over the socket, as Mysos' own administrator; the rows of the last statement."""
    secrets = json.loads((volume / "mysos" / "secrets.json").read_text(encoding="utf-8"))
    socket = re.search(r"^socket\s*=\s*(\S+)", (volume / "mysql" / "my.cnf").read_text(encoding="utf-8"), re.M).group(1)
    with pymysql.connect(unix_socket=socket, user="mysos_admin", password=secrets["admin_password"], autocommit=True,
                         read_timeout=20) as c, c.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchall()


def fill(shop):
    """So much to copy that a test sees the copy under way, on a busy machine too."""
    host, port = shop.primary()
    with shop.connect(host, port, read_timeout=60) as c, c.cursor() as cursor:
        cursor.execute("CREATE DATABASE IF NOT EXISTS bulk")
        cursor.execute("CREATE TABLE bulk.b (i INT AUTO_INCREMENT PRIMARY KEY, d LONGBLOB)")
        for _ in range(FILL_MB):
            cursor.execute("INSERT INTO bulk.b (d) VALUES (%s)", (os.urandom(1 << 20),))


def make_errant(up, shop):
    """A replica gets a transaction of its own, and its server is killed: back, it must not follow."""
    at = next(m for m in shop.show()["members"] if m["role"] == "replica")
    volume = volume_of(up.folder, at)
    statements = [f"CREATE DATABASE {ERRANT_ROW}"]
    if (volume / "mysql" / "data" / "auto.cnf").exists():  # MySQL
        statements = ["SET GLOBAL super_read_only=OFF", "SET GLOBAL read_only=OFF", *statements]
    with contextlib.suppress(pymysql.err.OperationalError):  # its executor may be quicker: it kills what is not read-only
        as_admin(volume, *statements)
    kill([server_of(up.folder, at)])
    return at, volume


def seeding(shop, member):
    return next(m for m in shop.show()["members"] if m["id"] == member["id"]).get("seeding")


def copiers(volume):
    """pids at work in seed/ of that volume, where the copy is received."""
    inside = str(volume / "mysql" / "seed") + "/"
    return [pid for pid, line in processes_under(volume).items() if inside in line]


def events(shop, kind, member):
    return [e for e in shop.client.events(shop.name) if e["kind"] == kind and e["member"] == member["id"]]


@contextlib.contextmanager
def stalled_copy(shop, at, volume):
    """A copy under way whose receiving end is frozen as soon as it is seen. Gives the seeding as the API shows it."""
    wait_for("its data are being copied", lambda: (seeding(shop, at) or {}).get("state") == "copying" and copiers(volume),
             COPY_SECONDS, pause=0.01)
    with frozen(*copiers(volume)) as standing:
        assert standing, "the copy was over before it could be frozen"
        yield wait_for("the API shows the copy", lambda: seeding(shop, at), 10)


def complete(shop, at):
    """Healthy again, and the errant transaction is nowhere."""
    wait_for("the copy is done", lambda: events(shop, "seeding_done", at), COPY_SECONDS)
    shop.healthy(COPY_SECONDS)
    for host, port in shop.addresses():
        names = [row[0] for row in shop.ask("SHOW DATABASES", host, port)]
        assert ERRANT_ROW not in names, f"{host}:{port} has what nobody acknowledged"
        assert shop.ask("SELECT COUNT(*), SUM(LENGTH(d)) FROM bulk.b", host, port) == ((FILL_MB, FILL_MB << 20),)


@pytest.fixture()
def own(own_up, version):
    up = own_up()
    shop = Shop(up.client, version)
    fill(shop)
    return up, shop


def test_an_errant_member_copies_a_replica_and_what_only_it_had_is_kept(own):
    up, shop = own
    with shop.ledger(pace=PACE) as ledger:
        ledger.wait_for_more(50)
        at, volume = make_errant(up, shop)
        wait_for("it is found errant", lambda: events(shop, "member_errant", at), HEAL_SECONDS)
        wait_for("its data are being copied", lambda: events(shop, "seeding_started", at), HEAL_SECONDS)
        complete(shop, at)
        ledger.wait_for_more(50)
    ledger.check(shop.addresses())
    shown = shop.show()
    donor = next(m for m in shown["members"] if m["id"] in events(shop, "seeding_started", at)[-1]["message"])
    assert donor["id"] not in (at["id"], shown["primary"]), "the primary was copied although a replica could be"
    ended = events(shop, "seeding_done", at)[-1]
    assert ended["took_ms"]["total"] > 0 and "MB" in ended["message"]
    assert next(m for m in shown["members"] if m["id"] == at["id"])["role"] == "replica"

    kept = events(shop, "errant_kept", at)[-1]["message"].rsplit(" ", 1)[1]
    logs = [p for p in (volume / kept).iterdir() if p.name.startswith(("binlog.", "relay."))]
    assert logs and (volume / kept / "README").exists()
    mysql = (volume / "mysql" / "data" / "auto.cnf").exists()
    reader = str(MYSQL9 / "usr" / "bin" / "mysqlbinlog") if mysql else "mariadb-binlog"
    told = subprocess.run([reader, *map(str, logs)], capture_output=True, text=True, errors="replace", timeout=60, check=True)
    assert f"CREATE DATABASE {ERRANT_ROW}" in told.stdout


@pytest.mark.parametrize("who", ["recipient", "donor"])
def test_a_copy_whose_recipient_or_donor_is_killed_begins_anew(own, who):
    up, shop = own
    with shop.ledger(pace=PACE) as ledger:
        ledger.wait_for_more(50)
        at, volume = make_errant(up, shop)
        with stalled_copy(shop, at, volume) as shown:
            assert shown["donor"] != shop.show()["primary"]
            if who == "recipient":
                kill([executor_of(up.folder, at)])
            else:
                donor = next(m for m in shop.show()["members"] if m["id"] == shown["donor"])
                kill([server_of(up.folder, donor), executor_of(up.folder, donor)])
        ledger.wait_for_more(50, HEAL_SECONDS)
        complete(shop, at)
        ledger.wait_for_more(50)
    ledger.check(shop.addresses())
    assert events(shop, "seeding_failed", at), "the copy was not cut off"
    assert not copiers(volume), "something still works in its folder"
    assert not (volume / "mysql" / "seed").exists()


def test_a_failover_does_not_wait_for_a_copy(own):
    up, shop = own
    with shop.ledger(pace=PACE) as ledger:
        ledger.wait_for_more(50)
        at, volume = make_errant(up, shop)
        with stalled_copy(shop, at, volume):
            old = shop.member("primary")
            kill([server_of(up.folder, old)])
            shop.replaced(old)
            ledger.wait_for_more(50, HEAL_SECONDS)
            assert (seeding(shop, at) or {}).get("state") in (None, "copying", "waiting")
        complete(shop, at)
        ledger.wait_for_more(50)
    ledger.check(shop.addresses())


def test_a_donor_that_is_promoted_is_copied_no_longer(own):
    """MySQL's donor waits minutes for a recipient that was cut off, so that its clone could go on."""
    up, shop = own
    at, volume = make_errant(up, shop)
    volumes = {m["id"]: volume_of(up.folder, m) for m in shop.show()["members"] if m["id"] != at["id"]}
    donor = wait_for("its data are being copied", lambda: (seeding(shop, at) or {}).get("donor"), COPY_SECONDS, pause=0.01)

    def gives():
        if (volumes[donor] / "mysql" / "data" / "auto.cnf").exists():
            return [row for row in as_admin(volumes[donor], "SHOW PROCESSLIST") if row[1] == "mysos_backup"]
        return [line for line in processes_under(volumes[donor]).values() if "--stream=xbstream" in line]

    wait_for("the donor gives", gives, 60, pause=0.002)
    with frozen(*copiers(volume)):
        old = shop.member("primary")
        kill([server_of(up.folder, old)])
        assert shop.replaced(old)["primary"] == donor
        wait_for("the donor gives no longer", lambda: not gives(), 10)
    complete(shop, at)
    assert events(shop, "seeding_failed", at) and donor not in events(shop, "seeding_done", at)[-1]["message"]
