# SPDX-License-Identifier: Apache-2.0
"""The network is cut, under writes, over both flavours: real machines (a network namespace each) with an Apache Mesos of
three agents. No acknowledged write is lost, a primary that nobody can use is replaced, one that only the scheduler does not
reach goes on serving, and the cluster is healthy again with no hand. See docs/failover.md."""
import threading
import time

import pymysql
import pytest
from conftest import Shop
from ledger import TABLE, query
from mysos_process import HEAL_SECONDS, member, wait_for
from netns import standing_in
from world import CONTROL, a_world

PACE = 0.01
# How long a cut lasts after which nothing may have happened: longer than a scheduler is missed (2 s), and than a primary
# without peers would serve on after that (3 s).
QUIET_SECONDS = 8
STRAY = -1  # the id of a row that no ledger ever sends


@pytest.fixture(scope="module")
def world(work):
    with a_world(work / "world") as made:
        yield made


@pytest.fixture(scope="module")
def standing(world, version):
    """One cluster of each flavour for all of these tests: each leaves it healthy."""
    cluster = Shop(world.up.client, version)
    yield cluster
    world.machines.heal()
    world.up.client.remove(cluster.name)


def at_its_machine(world, shop, at, sql, seconds=1):
    """Asked of the member where it runs, so whatever is cut; None where its server does not answer."""
    try:
        with standing_in(world.machines.path(world.machine_of(at))), \
                shop.connect(at["host"], at["port"], timeout=seconds) as connection:
            return query(connection, sql)
    except (OSError, pymysql.err.MySQLError):
        return None


def stops_serving(world, shop, at):
    """It is read-only, or its server is down: nobody reads there what may be old."""
    wait_for(f"{at['id']} stops serving",
             lambda: at_its_machine(world, shop, at, "SELECT @@GLOBAL.read_only") in (None, ((1,),)), HEAL_SECONDS)


def is_replaced(world, shop, others):
    """The primary is cut off from `others(its machine)` until another one serves; returns the old primary."""
    old = member(shop.calm(), "primary")
    place = world.machine_of(old)
    with shop.under_writes(pace=PACE, timeout=1) as ledger:
        began = time.monotonic()
        with world.machines.apart(place, *others(place)):
            shop.replaced(old)
            ledger.wait_for_more(100)
            stops_serving(world, shop, old)
    rows = len(ledger.acknowledged)
    print(f"outage {ledger.outage_after(began) * 1000:.0f} ms, {rows} rows, none lost: {shop.failovers()[-1]}")
    return old


def test_a_primary_cut_off_from_everyone_is_replaced(world, standing):
    is_replaced(world, standing, lambda place: [])
    assert "no report comes from it" in standing.failovers()[-1]


def test_a_primary_that_only_the_scheduler_reaches_is_replaced(world, standing):
    is_replaced(world, standing, lambda place: [*world.others(place), "clients"])
    assert "no reachable replica can receive" in standing.failovers()[-1]


def test_a_primary_cut_off_from_its_replicas_is_replaced(world, standing):
    is_replaced(world, standing, world.others)
    assert "no reachable replica can receive" in standing.failovers()[-1]


def writes_go_on(ledger):
    end = time.monotonic() + QUIET_SECONDS
    while time.monotonic() < end:
        ledger.wait_for_more(20, 5)


def test_a_primary_that_only_the_scheduler_does_not_reach_serves_on(world, standing):
    before, begun = standing.calm(), standing.failovers()
    old = member(before, "primary")
    with standing.under_writes(pace=PACE) as ledger:
        with world.machines.apart(world.machine_of(old), CONTROL):
            wait_for("it is missed", lambda: old["id"] in standing.show()["waiting_for"], HEAL_SECONDS)
            writes_go_on(ledger)
    assert standing.failovers() == begun and standing.show()["epoch"] == before["epoch"]


def test_a_scheduler_that_reaches_nobody_changes_nothing(world, standing):
    before, begun = standing.calm(), standing.failovers()
    primary = standing.primary()
    ledger = standing.ledger(pace=PACE)
    ledger.where = lambda: primary  # the API is about to be away
    with ledger:
        ledger.wait_for_more(50)
        with world.machines.apart(CONTROL):
            writes_go_on(ledger)
        after = standing.healthy()
        ledger.wait_for_more(20)
    ledger.check(standing.addresses())
    assert standing.failovers() == begun and after["epoch"] == before["epoch"]


def test_a_link_that_flaps(world, standing):
    """Whether that is worth a failover is left open; that nothing is lost, and that it ends, is not."""
    before = standing.calm()
    place = world.machine_of(member(before, "primary"))
    with standing.under_writes(pace=PACE, timeout=1):
        for down, up in [(0.1, 0.3), (0.5, 0.2), (0.9, 0.4), (1.5, 0.3), (0.3, 0.1), (1.2, 0.8), (0.6, 0.6)]:
            with world.machines.apart(place):
                time.sleep(down)  # the fault itself, not a wait
            time.sleep(up)
    print(f"{standing.show()['epoch'] - before['epoch']} elections")


def server_id(shop, at):
    """It changes when its data are rebuilt (ADR 6); None where it does not answer."""
    try:
        return shop.ask("SELECT @@GLOBAL.server_id", at["host"], at["port"])
    except pymysql.err.MySQLError:
        return None


def test_an_old_primary_that_returns_with_transactions_that_nobody_has(world, standing):
    """A row is written while it is cut off: nobody is ever told that it is safe. It goes, and its member is rebuilt."""
    old = member(standing.calm(), "primary")
    was = server_id(standing, old)
    place = world.machine_of(old)
    # On a busy machine it takes long to receive all that was ever written.
    with standing.under_writes(3 * HEAL_SECONDS, pace=PACE, timeout=1) as ledger:
        with world.machines.apart(place):
            answers = []
            insert = f"INSERT INTO {TABLE} VALUES ({STRAY}, 0, 'stray')"
            writer = threading.Thread(
                target=lambda: answers.append(at_its_machine(world, standing, old, insert, HEAL_SECONDS)))
            writer.start()
            standing.replaced(old)
            ledger.wait_for_more(50)
            stops_serving(world, standing, old)
            writer.join(HEAL_SECONDS)
        wait_for("it is rebuilt", lambda: server_id(standing, old) not in (None, was), HEAL_SECONDS)
    assert answers == [None], "a write was acknowledged that no replica has"


def test_an_old_primary_that_returns_with_nothing_of_its_own_keeps_its_data(world, standing):
    old = member(standing.calm(), "primary")
    was = server_id(standing, old)
    with world.machines.apart(world.machine_of(old)):
        standing.replaced(old)
    after = standing.healthy()
    assert server_id(standing, old) == was, "its data were rebuilt, for nothing"
    assert next(m for m in after["members"] if m["id"] == old["id"])["role"] == "replica"
