# SPDX-License-Identifier: Apache-2.0
"""Volumes that are full: what is shown, and who goes on. A server that meets a full disk waits for room and stays connected."""
import contextlib

from conftest import Shop
from faults import file_system, frozen, full, server_of, volume_of
from mysos_process import HEAL_SECONDS, Up, executor_of, wait_for

PACE = 0.01


def replicas(cluster):
    return [m for m in cluster["members"] if m["role"] == "replica"]


@contextlib.contextmanager
def shop_on_small_disks(work, version, shared):
    """Each agent has a file system of its own, or all share one. Gives the installation, the cluster, and disk_of(member)."""
    name = f"{version}-{len(list(work.iterdir()))}"
    folder = work / name
    with contextlib.ExitStack() as disks:
        if shared:
            one = disks.enter_context(file_system(work / f"{name}-all.ext4", folder / "mesos", 6000))
            mounted = [one]
        else:
            mounted = [disks.enter_context(file_system(work / f"{name}-{i}.ext4", folder / "mesos" / f"agent-{i}"))
                       for i in range(3)]
        up = Up(folder)
        try:
            shop = Shop(up.start().client, version)
            shop.healthy()
            yield up, shop, lambda m: next(d for d in mounted if str(volume_of(folder, m)).startswith(f"{d}/"))
        finally:
            up.close()


def told(up, kind, member):
    return any(e["kind"] == kind and e["member"] == member["id"] for e in up.client.events("shop"))


def test_a_replica_that_cannot_write_counts_for_nothing(work, version):
    """It is dropped, and the other replica takes over when the primary freezes."""
    with shop_on_small_disks(work, version, shared=False) as (up, shop, disk_of):
        before = shop.show()
        primary = next(m for m in before["members"] if m["role"] == "primary")
        broken, sound = replicas(before)
        with shop.ledger(pace=PACE) as ledger:
            ledger.wait_for_more(50)
            with full(disk_of(broken)):
                wait_for("it is told", lambda: told(up, "volume_not_writable", broken), HEAL_SECONDS)
                assert shop.show()["state"] == "degraded"
                wait_for("nobody need ask it", lambda: "acker_dropped" in [e["kind"] for e in up.client.events("shop")],
                         HEAL_SECONDS)
                ledger.wait_for_more(50)
                pids = [server_of(up.folder, primary), executor_of(up.folder, primary)]
                with frozen(*pids):
                    now = shop.replaced(primary)
                    ledger.wait_for_more(50, HEAL_SECONDS)
                assert now["primary"] == sound["id"]
            wait_for("that it is over is told", lambda: told(up, "volume_writable", broken), HEAL_SECONDS)
        shop.healthy(150)  # MariaDB looks once a minute whether there is room
        ledger.check(shop.addresses(), 150)


def test_the_primary_goes_on_alone_where_no_replica_can_write(work, version):
    with shop_on_small_disks(work, version, shared=False) as (up, shop, disk_of):
        with shop.ledger(pace=PACE) as ledger, contextlib.ExitStack() as filled:
            ledger.wait_for_more(50)
            for m in replicas(shop.show()):
                filled.enter_context(full(disk_of(m)))
            wait_for("the primary goes solo", lambda: shop.show()["mode"] == "solo", HEAL_SECONDS)
            ledger.wait_for_more(50, HEAL_SECONDS)
            # The primary opens within about a second, and meanwhile that is waited for.
            wait_for("it says why", lambda: "the volume of" in shop.show()["waiting_for"], HEAL_SECONDS)
            view = shop.show()
            assert view["state"] == "degraded"
            assert all("no space" in m["problem"] for m in replicas(view)), view
        shop.healthy(150)
        ledger.check(shop.addresses(), 150)


def test_where_nobody_can_write_it_is_shown(work, version):
    with shop_on_small_disks(work, version, shared=True) as (up, shop, disk_of):
        with shop.ledger(pace=PACE) as ledger:
            ledger.wait_for_more(50)
            with full(disk_of(shop.show()["members"][0])):
                wait_for("it is unavailable", lambda: shop.show()["state"] == "unavailable", HEAL_SECONDS)
                wait_for("it says why", lambda: "the volume of the primary" in shop.show()["waiting_for"], HEAL_SECONDS)
                assert 'mysos_cluster_writable{cluster="shop"} 0' in up.client.get("/metrics").body
                assert 'mysos_cluster_volumes_not_writable{cluster="shop"} 3' in up.client.get("/metrics").body
            ledger.wait_for_more(50, 150)
        shop.healthy(150)
        ledger.check(shop.addresses(), 150)
