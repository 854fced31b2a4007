# SPDX-License-Identifier: Apache-2.0
"""Replicas that run and could not become the primary: users drop their tables, or write on them. All heals with no hand."""
import contextlib

import pymysql
import pytest

from conftest import Shop
from faults import frozen, server_of
from mysos_process import HEAL_SECONDS, executor_of, wait_for
from test_seeding import as_admin, events, volume_of

REPAIR_SECONDS = 150


@pytest.fixture()
def own(own_up, version):
    up = own_up()
    shop = Shop(up.client, version)
    shop.healthy()
    return up, shop


def on_primary(shop, *statements):
    host, port = shop.primary()
    with shop.connect(host, port, read_timeout=20) as c, c.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def replicas(shop):
    return [m for m in shop.show()["members"] if m["role"] == "replica"]


def is_mysql(volume):
    return (volume / "mysql" / "data" / "auto.cnf").exists()


def drop_table(volume):
    """Only there: what comes next for it cannot be applied."""
    statements = ["DROP TABLE d.t"]
    if is_mysql(volume):
        statements = ["SET GLOBAL super_read_only=OFF", *statements, "SET GLOBAL super_read_only=ON"]
    as_admin(volume, "SET sql_log_bin=0", *statements)


def make_table(shop):
    on_primary(shop, "CREATE DATABASE d", "CREATE TABLE d.t (i INT PRIMARY KEY)", "INSERT INTO d.t VALUES (1)")
    for host, port in shop.addresses():
        wait_for("it is everywhere", lambda at=(host, port): _rows(shop, *at) == 1, HEAL_SECONDS)


def _rows(shop, host, port):
    with contextlib.suppress(pymysql.err.Error):
        return shop.ask("SELECT COUNT(*) FROM d.t", host, port)[0][0]
    return None


def equal_everywhere(shop, count):
    for host, port in shop.addresses():
        wait_for(f"{host}:{port} has all rows", lambda at=(host, port): _rows(shop, *at) == count, HEAL_SECONDS)


def applier_gauge(shop, up):
    text = up.client.get("/metrics").body
    text = text.decode() if isinstance(text, bytes) else text
    line = next(x for x in text.splitlines() if x.startswith("mysos_cluster_unsound_replicas{") and f'"{shop.name}"' in x)
    return float(line.rsplit(" ", 1)[1])


@pytest.mark.parametrize("how_many", [1, 2])
def test_replicas_whose_applier_stops_are_told_and_rebuilt_one_after_the_other(own, how_many):
    up, shop = own
    make_table(shop)
    harmed = replicas(shop)[:how_many]
    for at in harmed:
        drop_table(volume_of(up.folder, at))
    on_primary(shop, "INSERT INTO d.t VALUES (2)")

    for at in harmed:
        told = wait_for("it is told", lambda at=at: events(shop, "applier_stopped", at), 10)
        assert "error 1146" in told[0]["message"] and "d.t" in told[0]["message"]
    assert shop.show()["state"] == "degraded"
    assert shop.show()["waiting_for"], "it says why"
    assert applier_gauge(shop, up) >= 1

    for at in harmed:
        wait_for("its data are rebuilt", lambda at=at: events(shop, "seeding_done", at), REPAIR_SECONDS)
    shop.healthy(REPAIR_SECONDS)
    equal_everywhere(shop, 2)
    assert applier_gauge(shop, up) == 0
    # Of two, the other one's copy began after the first one's had ended.
    order = [e["kind"] for e in shop.client.events(shop.name) if e["kind"] in ("rebuild_started", "rebuild_ended")]
    assert order == ["rebuild_started", "rebuild_ended"] * how_many


def test_the_only_replica_of_two_is_rebuilt_while_the_primary_goes_on(own_up, version):
    up = own_up()
    shop = Shop(up.client, version, members=2)
    make_table(shop)
    at = replicas(shop)[0]
    drop_table(volume_of(up.folder, at))
    with shop.ledger() as ledger:
        on_primary(shop, "INSERT INTO d.t VALUES (2)")
        wait_for("it is told", lambda: events(shop, "applier_stopped", at), 10)
        wait_for("its data are rebuilt", lambda: events(shop, "seeding_done", at), 60 + REPAIR_SECONDS)
        shop.healthy(REPAIR_SECONDS)
        ledger.wait_for_more(50)
    ledger.check(shop.addresses(), HEAL_SECONDS)
    equal_everywhere(shop, 2)
    assert not shop.failovers()
    started = [e for e in shop.client.events(shop.name) if e["kind"] == "rebuild_started"]
    assert "goes solo until then" in started[-1]["message"]


def _end_dumps(volume):
    for row in as_admin(volume, "SHOW PROCESSLIST"):
        if str(row[4]).startswith("Binlog Dump"):
            with contextlib.suppress(pymysql.err.Error):
                as_admin(volume, f"KILL {row[0]}")


def _purge(volume):
    """A log that a replica still reads, or that may be wanted after a crash, is kept for a moment."""
    as_admin(volume, "FLUSH BINARY LOGS")
    newest = as_admin(volume, "SHOW BINARY LOGS")[-1][0]

    def purged():
        _end_dumps(volume)
        as_admin(volume, f"PURGE BINARY LOGS TO '{newest}'")
        return as_admin(volume, "SHOW BINARY LOGS")[0][0] == newest

    wait_for("the older ones are purged", purged, HEAL_SECONDS)


def test_stopped_replicas_that_lack_what_is_purged_do_not_wait_for_each_other(own):
    """Neither can ever acknowledge again, so neither is kept until the other one does."""
    up, shop = own
    make_table(shop)
    volume = volume_of(up.folder, shop.member("primary"))
    harmed = replicas(shop)
    for at in harmed:
        drop_table(volume_of(up.folder, at))
    on_primary(shop, "INSERT INTO d.t VALUES (2)")
    for at in harmed:
        wait_for("it is told", lambda at=at: events(shop, "applier_stopped", at), 10)
    with frozen(*[server_of(up.folder, at) for at in harmed]):
        _end_dumps(volume)
        wait_for("the primary goes solo", lambda: shop.show()["mode"] == "solo", HEAL_SECONDS)
        on_primary(shop, "INSERT INTO d.t VALUES (3)")
        _purge(volume)
    shop.healthy(2 * REPAIR_SECONDS)
    equal_everywhere(shop, 3)
    assert not shop.failovers()
    order = [e["kind"] for e in shop.client.events(shop.name) if e["kind"] in ("rebuild_started", "rebuild_ended")]
    assert order == ["rebuild_started", "rebuild_ended"] * 2, f"each once, one after the other: {shop.client.events(shop.name)}"
    solos = [e for e in shop.client.events(shop.name) if e["kind"] == "solo_entered"]
    # A second one is possible: a receiver that starts looks connected until the primary refuses it for the first time.
    assert len(solos) <= 2, f"nobody is named who was refused by the primary: {solos}"


def test_a_table_that_comes_back_needs_no_copy(own):
    up, shop = own
    make_table(shop)
    at = replicas(shop)[0]
    volume = volume_of(up.folder, at)
    drop_table(volume)
    on_primary(shop, "INSERT INTO d.t VALUES (2)")
    wait_for("it is told", lambda: events(shop, "applier_stopped", at), 10)
    statements = ["CREATE TABLE d.t (i INT PRIMARY KEY)", "INSERT INTO d.t VALUES (1)"]
    if is_mysql(volume):
        statements = ["SET GLOBAL super_read_only=OFF", *statements, "SET GLOBAL super_read_only=ON"]
    as_admin(volume, "SET sql_log_bin=0", *statements)
    wait_for("it goes on by itself", lambda: events(shop, "applier_started", at), HEAL_SECONDS)
    shop.healthy(REPAIR_SECONDS)
    equal_everywhere(shop, 2)
    assert not events(shop, "seeding_started", at)


def test_what_a_user_writes_on_a_replica_is_told_and_goes_with_its_data(own):
    up, shop = own
    make_table(shop)
    at = replicas(shop)[0]
    volume = volume_of(up.folder, at)
    host, port = next((m["host"], m["port"]) for m in shop.show()["members"] if m["id"] == at["id"])
    statement = "ANALYZE TABLE d.t UPDATE HISTOGRAM ON i" if is_mysql(volume) else "ANALYZE TABLE d.t PERSISTENT FOR ALL"
    shop.ask(statement, host, port)

    told = wait_for("it is told", lambda: events(shop, "member_errant", at), 10)
    assert "somebody wrote on it" in told[0]["message"]
    assert shop.show()["state"] == "degraded"

    on_primary(shop, "INSERT INTO d.t VALUES (2)")
    wait_for("its data are rebuilt", lambda: events(shop, "seeding_done", at), REPAIR_SECONDS)
    shop.healthy(REPAIR_SECONDS)
    equal_everywhere(shop, 2)


def test_with_both_appliers_stopped_and_the_primary_frozen_an_accepted_loss_opens_a_primary(own):
    up, shop = own
    make_table(shop)
    for at in replicas(shop):
        drop_table(volume_of(up.folder, at))
    on_primary(shop, "INSERT INTO d.t VALUES (2)")
    for at in replicas(shop):
        wait_for("it is told", lambda at=at: events(shop, "applier_stopped", at), 10)
    old = shop.member("primary")
    pids = [server_of(up.folder, old), executor_of(up.folder, old)]
    with frozen(*pids):
        wait_for("the election says what it waits for",
                 lambda: "--accept-loss" in shop.show()["waiting_for"], HEAL_SECONDS)
        refused = up.client.post(f"/v1/clusters/{shop.name}/failover", {})
        assert refused.status == 409 and "would be given up" in str(refused.json), refused
        assert up.client.post(f"/v1/clusters/{shop.name}/failover", {"accept_loss": True}).status == 202
        wait_for("somebody else is the primary and writable", lambda: _writable(shop, old), HEAL_SECONDS)
        forced = [e for e in shop.client.events(shop.name) if e["kind"] == "failover_forced"]
        assert "lost, as an operator accepted" in forced[-1]["message"]
        chosen = shop.member("primary")
        kept = wait_for("the relay log is kept", lambda: events(shop, "errant_kept", chosen), HEAL_SECONDS)
        folder = volume_of(up.folder, chosen) / kept[-1]["message"].rsplit(" ", 1)[1]
        assert (folder / "README").exists() and any("relay." in p.name for p in folder.iterdir())
    shop.healthy(REPAIR_SECONDS)
    on_primary(shop, "CREATE TABLE d.u (i INT PRIMARY KEY)")


def _writable(shop, old):
    shown = shop.show()
    return shown["primary"] not in (None, old["id"]) and shown["endpoints"]["primary"]
