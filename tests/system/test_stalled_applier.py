# SPDX-License-Identifier: Apache-2.0
"""Appliers that run and execute nothing, because of XA transactions: users' own on a replica, and replicated ones."""
import contextlib

import pymysql
import pytest

from conftest import Shop
from faults import frozen, kill, server_of
from mysos_process import HEAL_SECONDS, executor_of, wait_for
from test_seeding import as_admin, events, volume_of
from test_unsound import REPAIR_SECONDS, _rows, _writable, equal_everywhere, is_mysql, on_primary, replicas

STUCK_SECONDS = 60  # of a wait for a lock that nobody holds; then the applier counts as failed
DATA = ["CREATE DATABASE d", "CREATE TABLE d.t (i INT PRIMARY KEY)", "INSERT INTO d.t VALUES (1)",
        "CREATE TABLE d.n (k INT, v INT)", "INSERT INTO d.n VALUES (1, 1), (2, 2)"]


@pytest.fixture()
def own(own_up, version):
    up = own_up()
    shop = Shop(up.client, version)
    shop.healthy()
    on_primary(shop, *DATA)
    for host, port in shop.addresses():
        wait_for("it is everywhere", lambda at=(host, port): _rows(shop, *at) == 1, HEAL_SECONDS)
    return up, shop


def run(shop, host, port, *statements):
    with shop.connect(host, port, read_timeout=20) as c, c.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def prepare_on_replicas(shop):
    """XA transactions that only read, prepared by a user of each replica, whose session ends then."""
    for at in replicas(shop):
        run(shop, at["host"], at["port"], "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE", "XA START 'loc'",
            "SELECT * FROM d.t", "XA END 'loc'", "XA PREPARE 'loc'")


def lock_up_appliers(shop):
    """Each replica's applier waits for a row that a prepared XA transaction has locked, whose XA COMMIT comes later."""
    host, port = shop.primary()
    low = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"
    run(shop, host, port, low, "XA START 'a1'", "UPDATE d.n SET v = 11 WHERE k = 1", "XA END 'a1'", "XA PREPARE 'a1'")
    run(shop, host, port, low, "UPDATE d.n SET v = 12 WHERE k = 2")
    run(shop, host, port, "XA COMMIT 'a1'", "INSERT INTO d.t VALUES (2)")


@contextlib.contextmanager
def frozen_primary(up, shop):
    old = shop.member("primary")
    pids = [server_of(up.folder, old), executor_of(up.folder, old)]
    with frozen(*pids):
        yield old


def test_what_users_prepared_on_replicas_is_rolled_back_where_it_is_in_the_way_and_others_go_on(own):
    up, shop = own
    idle = [shop.connect(at["host"], at["port"], read_timeout=20) for at in replicas(shop)]
    prepare_on_replicas(shop)
    on_primary(shop, "ALTER TABLE d.t ADD COLUMN w INT", "INSERT INTO d.t (i) VALUES (2)")
    equal_everywhere(shop, 2)
    if is_mysql(volume_of(up.folder, replicas(shop)[0])):
        for at in replicas(shop):
            told = wait_for("it is told", lambda at=at: events(shop, "reader_ended", at), 10)
            assert len(told) == 1 and "'loc'" in told[0]["message"], told
    else:
        assert not [e for e in shop.client.events(shop.name) if e["kind"] == "reader_ended"]
    for session in idle:
        with session, session.cursor() as cursor:
            cursor.execute("SELECT 1")
    shop.healthy()
    assert not events(shop, "member_errant", replicas(shop)[0])


def test_a_failover_waits_for_nothing_that_users_prepared_on_replicas(own):
    up, shop = own
    prepare_on_replicas(shop)
    on_primary(shop, "ALTER TABLE d.t ADD COLUMN w INT")
    with frozen_primary(up, shop) as old:
        wait_for("somebody else is the primary and writable", lambda: _writable(shop, old), HEAL_SECONDS)
    shop.healthy(REPAIR_SECONDS)


def test_appliers_that_stand_still_are_told_and_an_accepted_loss_opens_a_primary(own):
    up, shop = own
    lock_up_appliers(shop)
    for at in replicas(shop):
        told = wait_for("it is told", lambda at=at: events(shop, "applier_stalled", at), 20)
        assert "a row lock that no session holds" in told[-1]["message"] and "'a1'" in told[-1]["message"], told
    assert shop.show()["state"] == "degraded"
    assert "is stalled" in shop.show()["waiting_for"]
    with frozen_primary(up, shop) as old:
        wait_for("the election says what it waits for",
                 lambda: "--accept-loss" in shop.show()["waiting_for"], HEAL_SECONDS)
        refused = up.client.post(f"/v1/clusters/{shop.name}/failover", {})
        assert refused.status == 409 and "is stalled" in str(refused.json), refused
        assert up.client.post(f"/v1/clusters/{shop.name}/failover", {"accept_loss": True}).status == 202
        wait_for("somebody else is the primary and writable", lambda: _writable(shop, old), 40)
    shop.healthy(REPAIR_SECONDS)
    on_primary(shop, "CREATE TABLE d.u (i INT PRIMARY KEY)")


def test_replicas_that_are_stuck_for_good_are_rebuilt_one_after_the_other(own):
    up, shop = own
    lock_up_appliers(shop)
    for at in replicas(shop):
        wait_for("its data are rebuilt", lambda at=at: events(shop, "seeding_done", at), 2 * STUCK_SECONDS + REPAIR_SECONDS)
    shop.healthy(REPAIR_SECONDS)
    equal_everywhere(shop, 2)
    for host, port in shop.addresses():
        assert sorted(shop.ask("SELECT k, v FROM d.n", host, port)) == [(1, 11), (2, 12)]
    order = [e["kind"] for e in shop.client.events(shop.name) if e["kind"] in ("rebuild_started", "rebuild_ended")]
    assert order == ["rebuild_started", "rebuild_ended"] * 2


def test_a_user_who_ends_a_replicated_transaction_on_a_replica_has_written_there(own):
    up, shop = own
    at = replicas(shop)[0]
    host, port = shop.primary()
    run(shop, host, port, "XA START 'rep'", "INSERT INTO d.t VALUES (2)", "XA END 'rep'", "XA PREPARE 'rep'")
    wait_for("it is prepared there", lambda: as_admin(volume_of(up.folder, at), "XA RECOVER"), HEAL_SECONDS)
    if not is_mysql(volume_of(up.folder, at)):
        with pytest.raises(pymysql.err.Error):  # a server that is read-only
            run(shop, at["host"], at["port"], "XA ROLLBACK 'rep'")
        run(shop, host, port, "XA COMMIT 'rep'")
        return
    run(shop, at["host"], at["port"], "XA ROLLBACK 'rep'")
    wait_for("it is told", lambda: events(shop, "member_errant", at), 10)
    run(shop, host, port, "XA COMMIT 'rep'")
    wait_for("its data are rebuilt", lambda: events(shop, "seeding_done", at), REPAIR_SECONDS)
    shop.healthy(REPAIR_SECONDS)
    equal_everywhere(shop, 2)


def test_a_prepared_transaction_that_users_rolled_back_on_both_replicas_is_not_lost(own):
    up, shop = own
    if not is_mysql(volume_of(up.folder, replicas(shop)[0])):
        return  # MariaDB refuses the statement: the test above
    host, port = shop.primary()
    run(shop, host, port, "XA START 'x1'", "INSERT INTO d.t VALUES (2)", "XA END 'x1'", "XA PREPARE 'x1'")
    old = shop.member("primary")
    for at in replicas(shop):
        wait_for("it is prepared there", lambda at=at: _ends(shop, at, "XA ROLLBACK 'x1'"), 10)
    kill([server_of(up.folder, old)])
    wait_for("its death is noticed", lambda: events(shop, "server_ended", old), 10)
    shop.healthy(REPAIR_SECONDS)
    assert shop.show()["primary"] == old["id"], shop.client.events(shop.name)
    on_primary(shop, "XA COMMIT 'x1'")
    equal_everywhere(shop, 2)


def _ends(shop, at, statement):
    """Whether it went through: an applier takes a moment."""
    try:
        run(shop, at["host"], at["port"], statement)
    except pymysql.Error as e:
        assert e.args[0] == 1397, e  # no such XID yet
        return False
    return True
