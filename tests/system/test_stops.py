# SPDX-License-Identifier: Apache-2.0
"""SIGTERM of `mysos up` at any moment: it ends by itself, with success, and nothing that it started is left."""
import http.client
import pathlib
import random
import shutil
import tempfile
import threading
import time

import pytest
from mysos_process import Up, processes_under

STOPS = 40


@pytest.fixture()
def fast_disk():
    """In memory where there is room: commits follow each other without a pause, so that many stops meet one."""
    memory = "/dev/shm"
    roomy = pathlib.Path(memory).is_dir() and shutil.disk_usage(memory).free > 1 << 30
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mysos-test-", dir=memory if roomy else "/var/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


class Readers:
    """Clients that read a password until the server is gone: each reading is an event, which is committed first."""

    def __init__(self, client, clients=4):
        self.read = 0
        self._threads = [threading.Thread(target=self._read, args=(client,), daemon=True) for _ in range(clients)]

    def _read(self, client):
        try:
            while client.get("/v1/clusters/shop/credentials", timeout=10).status == 200:
                self.read += 1
        except (OSError, http.client.HTTPException):
            pass  # the server has ended

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        for thread in self._threads:
            thread.join(20)


def test_a_stop_while_the_store_commits(fast_disk):
    dice = random.Random(1332)
    up = Up(fast_disk / "up", agents=1)
    read = 0
    try:
        for stop in range(STOPS):
            up.start()
            if stop == 0:
                up.client.create("shop", "mariadb", members=1)
            with Readers(up.client) as readers:
                time.sleep(0.1 + dice.random() * 0.3)
                code = up.stop()
            read += readers.read
            assert code == 0, f"stop {stop} ended with {code}: {up.log_tail()}"
            assert not processes_under(up.folder), f"stop {stop} left processes"
    finally:
        up.close()
    assert read > STOPS, "the stops met no commits"
