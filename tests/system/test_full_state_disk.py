# SPDX-License-Identifier: Apache-2.0
"""The disk of the state is full, and the primary dies. Nothing can be decided, because no decision can be stored: what is shown
says so. Once there is room again the failover happens by itself, and nothing is lost. The agents' folders are on another disk:
what a member does on a full disk of its own is tested elsewhere."""
import contextlib
import subprocess

import pytest
from conftest import Shop
from faults import file_system, full, kill, server_of
from mysos_process import HEAL_SECONDS, Up, member, servers, wait_for

AGENTS = 3


@contextlib.contextmanager
def state_on_its_own_disk(work, name):
    folder = work / name
    with contextlib.ExitStack() as undo:
        undo.enter_context(file_system(work / f"{name}.ext4", folder, megabytes=4000))
        folder.chmod(0o711)
        for i in range(AGENTS):
            elsewhere, here = work / f"{name}-agent-{i}", folder / "mesos" / f"agent-{i}"
            for path in (elsewhere, here):
                path.mkdir(parents=True)
            subprocess.run(["mount", "--bind", elsewhere, here], check=True, timeout=20)
            undo.callback(subprocess.run, ["umount", "--lazy", here], check=True, timeout=20)
        yield folder


def metric(client, line):
    return line in client.get("/metrics").body.splitlines()


def test_a_primary_dies_while_the_states_disk_is_full(work, version):
    with state_on_its_own_disk(work, f"state-{version}") as folder:
        up = Up(folder, agents=AGENTS)
        try:
            shop = Shop(up.start().client, version)
            before = shop.healthy()
            primary = member(before, "primary")
            with shop.ledger(pace=0.01) as ledger:
                ledger.wait_for_more(100)
                with full(folder):
                    kill([server_of(folder, primary)])
                    seen = wait_for("what is shown is true", lambda: _says_that_it_cannot_store(shop), HEAL_SECONDS)
                    assert seen["state"] != "healthy", seen
                    assert not seen["endpoints"].get("primary"), seen
                    assert metric(up.client, 'mysos_cluster_writable{cluster="shop"} 0'), up.client.get("/metrics").body
                    assert metric(up.client, "mysos_store_write_failing 1")
                    assert up.client.get("/readyz", token=False).status == 503
                    listed = up.cli("list")
                    assert "to be stored" in listed.stdout, listed
                    refused = up.client.post("/v1/clusters", {"name": "second", "version": before["version"], "members": 1})
                    assert refused.status == 503 and refused.json["detail"].strip(), refused
                ledger.wait_for_more(100, HEAL_SECONDS)
                after = shop.healthy()
            assert after["epoch"] > before["epoch"], "it was a failover"
            assert "store_recovered" in [e["kind"] for e in up.client.events()]
            assert metric(up.client, "mysos_store_write_failing 0")
            ledger.check(shop.addresses())
            assert len(servers(folder)) == 3
        finally:
            up.close()


def _says_that_it_cannot_store(shop):
    now = shop.show()
    told = "to be stored" in now["waiting_for"] and now["state"] != "healthy" and not now["endpoints"].get("primary")
    return now if told else None


@pytest.fixture(params=["mariadb-10.11", "mysql-9"])
def version(request):
    return request.param
