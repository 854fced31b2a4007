# SPDX-License-Identifier: Apache-2.0
"""Processes are killed under writes; no acknowledged write is lost and the cluster heals by itself. Over both flavours."""
import os
import signal
import time

import pytest
from conftest import Shop
from faults import frozen, server_of
from mysos_process import HEAL_SECONDS, executor_of, executors, member, servers, wait_for


def kill_server(up, at):
    """kill -9 of the mysqld of that member; returns when."""
    pid = servers(up.folder)[at["port"]]
    os.kill(pid, signal.SIGKILL)
    return time.monotonic()


@pytest.mark.parametrize("round_", range(2))
def test_a_killed_primary_is_replaced(up, shop, round_):
    before = shop.show()
    with shop.ledger() as ledger:
        ledger.wait_for_more(200)
        killed = kill_server(up, member(before, "primary"))
        ledger.wait_for_more(200)
        after = shop.healthy()
        ledger.wait_for_more(50)
    rows = ledger.check(shop.addresses())
    print(f"{rows} rows acknowledged, none lost; outage {ledger.outage_after(killed) * 1000:.0f} ms")
    assert after["epoch"] > before["epoch"]
    assert {m["id"] for m in after["members"]} == {m["id"] for m in before["members"]}


def test_a_killed_primary_again_and_again(up, shop):
    with shop.ledger() as ledger:
        for _ in range(3):
            ledger.wait_for_more(100)
            kill_server(up, shop.healthy() and shop.member("primary"))
            ledger.wait_for_more(100)
            shop.healthy()
    ledger.check(shop.addresses())


def test_a_killed_replica_comes_back_by_itself(up, shop):
    before = shop.show()
    with shop.ledger() as ledger:
        ledger.wait_for_more(100)
        kill_server(up, next(m for m in before["members"] if m["role"] == "replica"))
        ledger.wait_for_more(200)
        after = shop.healthy()
    ledger.check(shop.addresses())
    assert member(after, "primary")["id"] == member(before, "primary")["id"], "a replica's death moved the primary"


@pytest.mark.parametrize("role", ["primary", "replica"])
def test_a_killed_executor_is_replaced_or_restarted(up, shop, role):
    with shop.ledger() as ledger:
        ledger.wait_for_more(100)
        at = next(m for m in shop.show()["members"] if m["role"] == role)
        old = executor_of(up.folder, at)
        os.kill(old, signal.SIGKILL)
        ledger.wait_for_more(200, HEAL_SECONDS)
        wait_for("three executors again", lambda: len(set(executors(up.folder)) - {old}) == 3, HEAL_SECONDS)
        shop.healthy()
        ledger.wait_for_more(50)
    ledger.check(shop.addresses())
    assert len(servers(up.folder)) == 3


def test_a_frozen_primary_is_replaced_and_comes_back_as_a_replica(up, shop):
    before = shop.show()
    old = member(before, "primary")
    pids = [servers(up.folder)[old["port"]], executor_of(up.folder, old)]
    with shop.ledger() as ledger:
        ledger.wait_for_more(100)
        with frozen(*pids):
            wait_for("another member is primary", lambda: _primary_id(shop) not in (None, old["id"]), HEAL_SECONDS)
            ledger.wait_for_more(100)
        shop.healthy()
        ledger.wait_for_more(50)
    ledger.check(shop.addresses())


def _primary_id(shop):
    return next((m["id"] for m in shop.show()["members"] if m["role"] == "primary"), None)


def test_the_data_plane_outlives_the_control_plane(own_up, version):
    """kill -9 of scheduler and Mesos: writes go on; started again, they adopt all that is there and double nothing."""
    up = own_up()
    shop = Shop(up.client, version)
    before, processes = shop.show(), servers(up.folder)
    primary = shop.primary()
    shop.primary = lambda: primary  # the API is about to be away
    with shop.ledger() as ledger:
        ledger.wait_for_more(100)
        up.kill()
        ledger.wait_for_more(300)
        up.start()
        after = shop.healthy()
        ledger.wait_for_more(100)
    assert after["epoch"] == before["epoch"], "a restart of the scheduler moved the primary"
    assert servers(up.folder) == processes, "servers were restarted or doubled"
    assert len(executors(up.folder)) == 3
    ledger.check(shop.addresses())
    assert up.client.clusters()[0]["name"] == "shop" and len(up.client.clusters()) == 1


def test_a_primary_that_froze_while_the_control_plane_was_away_is_replaced_soon(own_up, version):
    """Its server does not answer and its replicas hear nothing of it: that is enough for a scheduler that starts later, too."""
    up = own_up()
    shop = Shop(up.client, version)
    shop.healthy()
    with shop.ledger() as ledger:
        ledger.wait_for_more(100)
    old = shop.member("primary")
    up.kill()
    with frozen(server_of(up.folder, old)):
        time.sleep(2)  # the silence has lasted when the scheduler comes, not a wait
        up.start()
        shop.client = up.client
        shop.replaced(old)
        assert "no replica receives from it" in shop.failovers()[-1]
    shop.healthy()
    ledger.check(shop.addresses(), HEAL_SECONDS)


def test_kept_databases_run_on_and_are_found_again(own_up, version):
    up = own_up("--on-exit=keep")
    shop = Shop(up.client, version)
    processes = servers(up.folder)
    with shop.ledger() as ledger:
        ledger.wait_for_more(50)
    assert up.stop() == 0
    assert servers(up.folder) == processes, "--on-exit=keep stopped a server"
    up.start()
    shop.client = up.client
    shop.healthy()
    assert servers(up.folder) == processes
    ledger.check(shop.addresses())


def test_stopped_databases_come_back_with_their_data(own_up, version):
    up = own_up()
    shop = Shop(up.client, version)
    with shop.ledger() as ledger:
        ledger.wait_for_more(50)
    assert up.stop() == 0
    wait_for("every server and executor has stopped", lambda: not servers(up.folder) and not executors(up.folder), 30)
    up.start()
    shop.client = up.client
    shop.healthy()
    ledger.check(shop.addresses())
    assert len(servers(up.folder)) == 3


def test_killed_in_the_middle_of_a_create(own_up, version):
    """The scheduler dies at many instants of a create; each time the next one finishes it, and nothing is doubled."""
    up = own_up()
    name = up.client.version_named(version)
    for round_, pause in enumerate((0.0, 0.1, 0.4, 1.0)):
        cluster = f"c{round_}"
        body = {"name": cluster, "members": 1, "cpus": 0.2, "mem": "512MB", "disk": "1GB", "version": name}
        assert up.client.post("/v1/clusters", body).status in (201, 202)
        time.sleep(pause)  # the instant of the kill, not a wait
        up.kill()
        up.start()
        up.client.wait_state(cluster, "healthy", HEAL_SECONDS)
        assert len(servers(up.folder)) == 1, servers(up.folder)
        up.client.remove(cluster)
        wait_for("nothing runs", lambda: not servers(up.folder) and not executors(up.folder), HEAL_SECONDS)
