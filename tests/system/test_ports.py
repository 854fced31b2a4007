# SPDX-License-Identifier: Apache-2.0
"""Two installations on one machine whose ports overlap: each router leads to its own cluster, and each member gets a port."""
import pytest
from conftest import Shop
from mysos_process import HEAL_SECONDS, wait_for


@pytest.fixture()
def version():
    return "mariadb-10.11"


def _names(shop, endpoint):
    host, port = endpoint.rsplit(":", 1)
    return {row[0] for row in shop.ask("SHOW DATABASES", host, port)}


def test_a_member_whose_port_is_taken_gets_others_and_no_client_is_led_astray(up, shop, own_up, work):
    shop.ask("CREATE DATABASE of_the_first")
    taken = {m["port"] for m in shop.show()["members"]}
    second = own_up.dir()
    second.mkdir(mode=0o711)
    (second / "task-ports").write_text(f"{max(taken)}\n", encoding="ascii")  # as if it had been chosen while they were stopped
    other = Shop(own_up().client, "mariadb-10.11", "other")
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
