# SPDX-License-Identifier: Apache-2.0
"""What a session may take follows the memory of its member, and a server that the kernel kills for memory says so."""
import contextlib
import pathlib

import pymysql
import pytest
from mysos_process import HEAL_SECONDS, servers, wait_for

MB = 1024 * 1024


def _in_a_memory_group(pid):
    """Whether the kernel counts its kills for this process: `mysos up` makes groups where it may."""
    lines = pathlib.Path(f"/proc/{pid}/cgroup").read_text(encoding="ascii").splitlines()
    paths = [line.split(":", 2)[2] for line in lines if line.startswith("0::") or ":memory:" in line]
    return any("mysos" in path for path in paths)


def test_the_largest_row_leaves_replicas_alive_and_a_larger_one_is_refused(up, shop):
    pids = servers(up.folder)
    shop.ask("CREATE DATABASE d")
    shop.ask("CREATE TABLE d.t (i INT PRIMARY KEY, b LONGBLOB)")
    limit = shop.ask("SELECT @@GLOBAL.max_allowed_packet")[0][0]
    assert limit == 8 * MB, "a 64th of 512 MB"
    with shop.connect(*shop.primary()) as c, c.cursor() as cursor:
        for i in range(6):
            cursor.execute("REPLACE INTO d.t VALUES (%s, REPEAT('a', %s))", (i, limit - 100))
            cursor.execute("UPDATE d.t SET b = CONCAT(b, 'x') WHERE i = %s", (i,))
        cursor.execute("SET SESSION sort_buffer_size = 1 << 30")
        cursor.execute("SELECT @@sort_buffer_size")
        assert cursor.fetchone()[0] <= 16 * MB
        with pytest.raises(pymysql.err.Error):
            cursor.execute("REPLACE INTO d.t VALUES (1, %s)", (b"a" * (2 * limit),))
    for m in shop.show()["members"]:
        wait_for("it has the rows", lambda m=m: shop.ask("SELECT COUNT(*) FROM d.t", m["host"], m["port"])[0][0] == 6,
                 HEAL_SECONDS)
    assert servers(up.folder) == pids, "a server died"
    assert shop.healthy()["mode"] == "normal"


def test_a_server_that_is_killed_for_memory_says_so_and_the_cluster_heals(up, shop):
    dead = shop.member("primary")
    if not _in_a_memory_group(servers(up.folder)[dead["port"]]):
        return
    sessions = []
    with contextlib.suppress(pymysql.err.Error):
        for _ in range(60):
            sessions.append(shop.connect(dead["host"], dead["port"]))
            with sessions[-1].cursor() as cursor:
                for i in range(10):
                    cursor.execute(f"SET @v{i} = REPEAT('a', 8000000)")
    shop.replaced(dead)
    for session in sessions:
        with contextlib.suppress(pymysql.err.Error):
            session.close()

    assert shop.healthy()["mode"] == "normal"
    told = [e["message"] for e in up.client.events("shop") if e["kind"] == "server_ended"]
    assert any("out of memory" in t and "512MB" in t for t in told), told
