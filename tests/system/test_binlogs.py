# SPDX-License-Identifier: Apache-2.0
"""An administrator purges or resets binary logs. It is told, and what can be repaired is, with no hand."""
import pytest

from conftest import Shop
from faults import frozen, kill, server_of
from mysos_process import HEAL_SECONDS, wait_for
from test_old_state import switch_over
from test_seeding import as_admin, events, volume_of
from test_unsound import REPAIR_SECONDS, equal_everywhere, is_mysql, make_table, on_primary, replicas


@pytest.fixture()
def own(own_up, version):
    up = own_up()
    shop = Shop(up.client, version)
    shop.healthy()
    make_table(shop)
    return up, shop


def reset(volume):
    """MySQL has two names for it, by version."""
    as_admin(volume, "RESET BINARY LOGS AND GTIDS" if is_mysql(volume) else "RESET MASTER")


def told(shop, at, words):
    return [e for e in events(shop, "binlogs_changed", at) if words in e["message"]]


def seen(shop, kind):
    return [e for e in shop.client.events(shop.name) if e["kind"] == kind]


def test_a_purge_is_told_with_the_oldest_log_that_is_left(own):
    up, shop = own
    at = shop.member("primary")
    volume = volume_of(up.folder, at)
    as_admin(volume, "FLUSH BINARY LOGS", "FLUSH BINARY LOGS")
    newest = as_admin(volume, "SHOW BINARY LOGS")[-1][0]

    def purged():  # a log that a replica still reads is kept
        as_admin(volume, f"PURGE BINARY LOGS TO '{newest}'")
        return as_admin(volume, "SHOW BINARY LOGS")[0][0] == newest

    wait_for("the older ones are purged", purged, HEAL_SECONDS)
    # Perhaps in two steps, each with an event of its own: the executor may look between them.
    now = f"the oldest one is {newest} now"
    wait_for("it is told", lambda: [e for e in told(shop, at, "purged") if now in e["message"]], 10)
    on_primary(shop, "INSERT INTO d.t VALUES (2)")
    equal_everywhere(shop, 2)
    shop.healthy()


def test_a_replica_whose_logs_are_reset_is_rebuilt(own):
    up, shop = own
    at = replicas(shop)[0]
    reset(volume_of(up.folder, at))
    wait_for("it is told", lambda: told(shop, at, "reset"), 10)
    assert shop.show()["state"] == "degraded"
    on_primary(shop, "INSERT INTO d.t VALUES (2)")
    wait_for("its data are rebuilt", lambda: events(shop, "seeding_done", at), REPAIR_SECONDS)
    shop.healthy(REPAIR_SECONDS)
    equal_everywhere(shop, 2)


def test_a_primary_whose_logs_are_reset_is_replaced_and_loses_nothing_from_before(own):
    up, shop = own
    at = shop.member("primary")
    with shop.ledger() as ledger:
        ledger.wait_for_more(100)
    reset(volume_of(up.folder, at))
    wait_for("it is told", lambda: told(shop, at, "reset"), 10)
    shop.replaced(at)
    assert "reset its binary logs" in shop.failovers()[-1]
    on_primary(shop, "INSERT INTO d.t VALUES (2)")
    wait_for("its data are rebuilt", lambda: events(shop, "seeding_done", at), REPAIR_SECONDS)
    shop.healthy(REPAIR_SECONDS)
    equal_everywhere(shop, 2)
    ledger.check(shop.addresses(), HEAL_SECONDS)


def test_a_primary_that_is_reset_while_it_is_alone_keeps_its_data_and_replicas_are_copies_of_them(own):
    up, shop = own
    at = shop.member("primary")
    others = replicas(shop)
    with shop.ledger(pace=0.02) as ledger:
        ledger.wait_for_more(20)
        with frozen(*[server_of(up.folder, m) for m in others]):
            wait_for("the primary goes solo", lambda: seen(shop, "solo_entered"), HEAL_SECONDS)
            on_primary(shop, "INSERT INTO d.t VALUES (2)")  # on it only
            reset(volume_of(up.folder, at))
            wait_for("its data are kept", lambda: seen(shop, "names_renewed"), HEAL_SECONDS)
            # As many names as the replicas know, and other transactions.
            on_primary(shop, *[f"INSERT INTO d.t VALUES ({i})" for i in range(3, 40)])
            ledger.wait_for_more(20)
    for m in others:
        wait_for("its data are rebuilt", lambda m=m: events(shop, "seeding_done", m), REPAIR_SECONDS)
    shop.healthy(REPAIR_SECONDS)
    assert shop.show()["primary"] == at["id"] and not shop.failovers(), shop.client.events(shop.name)
    equal_everywhere(shop, 39)
    switch_over(shop, others[0]["id"])  # an election goes by the names that count since
    on_primary(shop, "INSERT INTO d.t VALUES (40)")
    equal_everywhere(shop, 40)
    ledger.check(shop.addresses(), HEAL_SECONDS)


def test_a_primary_that_is_reset_and_dies_at_once_proves_nothing(own):
    up, shop = own
    at = shop.member("primary")
    with shop.ledger() as ledger:
        ledger.wait_for_more(100)
    reset(volume_of(up.folder, at))
    kill([server_of(up.folder, at)])
    wait_for("it is told", lambda: told(shop, at, "reset"), HEAL_SECONDS)
    shop.replaced(at)
    wait_for("its data are rebuilt", lambda: events(shop, "seeding_done", at), REPAIR_SECONDS)
    shop.healthy(REPAIR_SECONDS)
    ledger.check(shop.addresses(), HEAL_SECONDS)
