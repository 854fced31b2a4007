# SPDX-License-Identifier: Apache-2.0
"""Installations on one machine whose ports overlap: each router leads to its own cluster, each member gets a port, and the
block of ports that new members get is looked at again at each start."""
import contextlib
import os
import signal
import socket

import pytest
from conftest import Shop
from mysos_process import HEAL_SECONDS, processes_under, wait_for


@pytest.fixture()
def version():
    return "mariadb-10.11"


def _names(shop, endpoint):
    host, port = endpoint.rsplit(":", 1)
    return {row[0] for row in shop.ask("SHOW DATABASES", host, port)}


@pytest.fixture()
def second(up, own_up):
    """Another installation that has chosen the same ports, while nobody listened there."""
    own_up.dir().mkdir(mode=0o711)
    (own_up.dir() / "task-ports").write_text((up.folder / "task-ports").read_text(encoding="ascii"), encoding="ascii")
    return own_up()


def test_a_member_whose_port_is_taken_gets_others_and_no_client_is_led_astray(second, shop):
    shop.ask("CREATE DATABASE of_the_first")
    taken = {m["port"] for m in shop.show()["members"]}
    other = Shop(second.client, "mariadb-10.11", "other")
    other.ask("CREATE DATABASE of_the_second")

    ports = {m["port"] for m in other.show()["members"]}
    assert not ports & taken
    assert "ports_changed" in [e["kind"] for e in other.client.events("other")]
    ends = wait_for("the router has its ports", lambda: _both(other), HEAL_SECONDS)
    for _ in range(20):
        for endpoint in ends:
            assert "of_the_first" not in _names(other, endpoint)


def _both(shop):
    ends = shop.show()["endpoints"]
    return [ends["read_write"], ends["read_only"]] if ends.get("read_write") and ends.get("read_only") else None


@contextlib.contextmanager
def listener(port):
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", port))
        stranger.listen(1)
        yield


def ports_of(cluster):
    return {m["id"]: m["port"] for m in cluster["members"]}


def test_the_block_of_ports_is_looked_at_again_at_each_start(own_up, version):
    up = own_up()
    shop = Shop(up.client, version)
    shop.ask("CREATE DATABASE kept")
    block = lambda: int((up.folder / "task-ports").read_text(encoding="ascii"))  # noqa: E731
    first = block()

    up.stop()
    up.start()
    assert block() == first, "servers of our own are no strangers"

    before = ports_of(shop.healthy())
    up.stop()
    with listener(first + 250):  # a port that no member has
        up.start()
        second = block()
        assert abs(second - first) >= 300, "the new block has nothing in common with the old one"
        assert f"other programs listen on {first + 250}" in up.log_tail()
        assert ports_of(shop.healthy()) == before
        other = Shop(up.client, version, "other", members=1)
        assert set(ports_of(other.show()).values()) <= set(range(second, second + 300))

    up.stop()
    for pid in processes_under(up.folder):  # as a reboot ends them
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_for("all is ended", lambda: not processes_under(up.folder), HEAL_SECONDS)
    victim, port = next(iter(before.items()))
    with listener(port):
        up.start()
        after = ports_of(shop.healthy())
        assert block() == second
        assert after[victim] in range(second, second + 300), (before, after)
        assert {m: p for m, p in after.items() if m != victim} == {m: p for m, p in before.items() if m != victim}
        assert ("kept",) in set(shop.ask("SHOW DATABASES"))
