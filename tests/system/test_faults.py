# SPDX-License-Identifier: Apache-2.0
"""Faults of processes and disks, several at once and at bad moments, under writes; over both flavours. No acknowledged
write is lost, and the cluster is healthy again with no hand. The plain ones are in test_failover.py, those of the network in
test_partitions.py."""
import shutil
import time

import pytest
from conftest import Shop
from faults import busy_processors, file_system, frozen, full, hiccups_of, kill, server_of, stalled, volume_of
from mysos_process import HEAL_SECONDS, Up, command_line, executor_of, executors, member, servers, wait_for

PACE = 0.01
QUIET_SECONDS = 30  # of pauses and load without a failover


@pytest.fixture(scope="module")
def standing(up, version):
    """One cluster for most of these tests: each leaves it healthy."""
    cluster = Shop(up.client, version)
    yield cluster
    up.client.remove(cluster.name)


def replicas(cluster):
    return [m for m in cluster["members"] if m["role"] == "replica"]


def test_an_acker_is_killed_and_comes_back_then_the_primary_is_killed(up, standing):
    """What the acker acknowledged it may have lost: it is not to be chosen for what it no longer has."""
    before = standing.calm()
    acker = replicas(before)[0]
    with standing.under_writes(pace=PACE):
        kill([server_of(up.folder, acker)])
        wait_for("the acker's server is back", lambda: acker["port"] in servers(up.folder), HEAL_SECONDS)
        kill([server_of(up.folder, member(before, "primary"))])


def test_the_primary_and_an_acker_are_killed_together(up, standing):
    before = standing.calm()
    with standing.under_writes(pace=PACE):
        kill([server_of(up.folder, member(before, "primary")), server_of(up.folder, replicas(before)[0])])


def test_server_and_executor_of_the_primary_are_killed_together(up, standing):
    old = member(standing.calm(), "primary")
    with standing.under_writes(pace=PACE):
        kill([executor_of(up.folder, old), server_of(up.folder, old)])
        standing.replaced(old)


@pytest.mark.parametrize("victim", ["primary", "replica"])
def test_one_end_of_a_switchover_is_killed_in_its_middle(up, standing, victim):
    before = standing.calm()
    target = replicas(before)[0]
    dies = target if victim == "replica" else member(before, "primary")
    pid = server_of(up.folder, dies)
    with standing.under_writes(pace=PACE):
        answer = standing.client.post("/v1/clusters/shop/switchover", {"to": target["id"]})
        assert answer.status in (200, 202), answer
        kill([pid])
        wait_for("an election has ended", lambda: standing.show()["epoch"] > before["epoch"] and standing.primary(),
                 HEAL_SECONDS)


@pytest.mark.parametrize("moment", ["failover_started", "primary_chosen"])
def test_the_next_primary_is_killed_in_the_middle_of_a_failover(up, standing, moment):
    """As soon as the event is seen, the server that is or will be the primary dies too."""
    before = standing.calm()
    old = member(before, "primary")
    newest = max(e["seq"] for e in standing.client.events("shop"))
    with standing.under_writes(pace=PACE):
        pids = servers(up.folder)
        kill([pids[old["port"]]])
        wait_for(moment, lambda: [e for e in standing.client.events("shop") if e["seq"] > newest and e["kind"] == moment],
                 HEAL_SECONDS, pause=0.002)
        chosen = standing.show()["primary"]
        next_one = next((m for m in replicas(before) if m["id"] == chosen), replicas(before)[0])
        kill([pids[next_one["port"]]])


def test_a_primary_whose_server_alone_is_frozen_is_replaced(up, standing):
    old = member(standing.calm(), "primary")
    with standing.under_writes(pace=PACE) as ledger:
        began = time.monotonic()
        with frozen(server_of(up.folder, old)):
            standing.replaced(old)
            ledger.wait_for_more(100)
    print(f"outage {ledger.outage_after(began) * 1000:.0f} ms: {standing.failovers()[-1]}")


def test_a_primary_whose_executor_alone_is_frozen_serves_on(up, standing):
    """The scheduler hears nothing of it, but its replicas receive: that is no failure."""
    before = standing.calm()
    old, begun = member(before, "primary"), standing.failovers()
    with standing.under_writes(pace=PACE) as ledger, frozen(executor_of(up.folder, old)):
        wait_for("it is missed", lambda: old["id"] in standing.show()["waiting_for"], HEAL_SECONDS)
        end = time.monotonic() + 3  # three times what silence alone would take
        while time.monotonic() < end:
            ledger.wait_for_more(20)
    assert standing.failovers() == begun and standing.show()["epoch"] == before["epoch"]


def test_pauses_and_load_are_no_failure(up, standing):
    before = standing.calm()
    begun = standing.failovers()
    with standing.under_writes(pace=PACE), busy_processors(4 * QUIET_SECONDS), hiccups_of(up, before) as hiccups:
        time.sleep(QUIET_SECONDS)  # what is tested: that in this time nothing happens
    print(f"{hiccups.count} pauses")
    assert standing.failovers() == begun and standing.show()["epoch"] == before["epoch"]


def test_everything_is_killed_at_once(own_up, version):
    """Scheduler, Mesos, executors and servers; `mysos up` again is all that is done."""
    up = own_up()
    shop = Shop(up.client, version)
    with shop.ledger(pace=PACE) as ledger:
        ledger.wait_for_more(200)
        kill([up.process.pid, *executors(up.folder), *servers(up.folder).values()])
        up.process.wait(10)
        wait_for("nothing runs", lambda: not servers(up.folder) and not executors(up.folder), 20)
        up.start()
        shop.client = up.client
        shop.healthy()
        ledger.wait_for_more(50)
    ledger.check(shop.addresses())
    assert len(servers(up.folder)) == 3 and len(executors(up.folder)) == 3


def test_a_member_whose_volume_came_back_empty_counts_for_nothing(own_up, version):
    """It had acknowledged writes. The other replica has them all, and takes over when the primary dies."""
    up = own_up()
    shop = Shop(up.client, version)
    before = shop.healthy()
    bare, sound = replicas(before)

    def told(kind):
        return kind in [e["kind"] for e in up.client.events("shop")]

    with shop.ledger(pace=PACE) as ledger:
        ledger.wait_for_more(100)
        kill([executor_of(up.folder, bare), server_of(up.folder, bare)])
        for path in volume_of(up.folder, bare).iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        wait_for("it is noticed", lambda: told("volume_lost"), HEAL_SECONDS)
        wait_for("nobody need ask it", lambda: told("acker_dropped"), HEAL_SECONDS)
        ledger.wait_for_more(100)
        kill([server_of(up.folder, member(before, "primary"))])
        now = shop.replaced(member(before, "primary"))
        ledger.wait_for_more(100, HEAL_SECONDS)
    assert now["primary"] == sound["id"]
    lost = next(m for m in now["members"] if m["id"] == bare["id"])
    assert lost["role"] not in ("primary", "replica") and lost["state"] == "volume_lost"
    wait_for("only that is amiss", lambda: shop.show()["waiting_for"].startswith(f"{bare['id']}, whose volume"), HEAL_SECONDS)
    assert shop.show()["state"] == "degraded"
    ledger.check([(m["host"], m["port"]) for m in now["members"] if m["id"] != bare["id"]])


@pytest.mark.parametrize("trouble", [full, stalled])
def test_a_primary_whose_disk_takes_no_writes_is_replaced(work, version, trouble):
    folder = work / f"{trouble.__name__}-{version}"
    with file_system(work / "agent-0.ext4", folder / "mesos" / "agent-0") as disk:
        up = Up(folder)
        try:
            shop = Shop(up.start().client, version)
            found = shop.show()["members"]
            on_it = next(m for m in found if str(disk) in command_line(server_of(folder, m)))
            if shop.show()["primary"] != on_it["id"]:
                assert up.client.post("/v1/clusters/shop/switchover", {"to": on_it["id"]}).status in (200, 202)
            wait_for("the primary is on the small disk", lambda: shop.show()["primary"] == on_it["id"], HEAL_SECONDS)
            shop.healthy()
            with shop.ledger(pace=PACE) as ledger:
                ledger.wait_for_more(50)
                began = time.monotonic()
                with trouble(disk):
                    shop.replaced(on_it)
                    ledger.wait_for_more(50)
                ledger.wait_for_more(50)
            shop.healthy()  # with no writes: the small disk is a slow one too, and its replica would not catch up
            ledger.check(shop.addresses(), 150)  # a MariaDB that met a full disk looks only once a minute whether it still is
            print(f"outage {ledger.outage_after(began) * 1000:.0f} ms: {shop.failovers()[-1]}")
            assert "it cannot write" in shop.failovers()[-1]
        finally:
            up.close()
