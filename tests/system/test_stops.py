# SPDX-License-Identifier: Apache-2.0
"""SIGTERM of `mysos up` at any moment: it ends by itself, with success, and nothing that it started is left."""
import pathlib
import random
import shutil
import tempfile
import threading
import time
import urllib.error

import pytest
from mysos_process import SMALL, Up, processes_under

STOPS = 60


@pytest.fixture()
def fast_disk():
    """In memory: commits follow each other without a pause, so that many stops meet one."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mysos-test-", dir="/dev/shm"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


class Changes:
    """Clients that make clusters, which no agent has room for, and delete them, until the server is gone."""

    def __init__(self, client, clients=4):
        self.made = 0
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._change, args=(client, k), daemon=True) for k in range(clients)]

    def _change(self, client, number):
        while not self._stop.is_set():
            name = f"x{number}-{self.made}"
            try:
                client.post("/v1/clusters", dict(SMALL, name=name, members=1, cpus=50), timeout=10)
                client.delete(f"/v1/clusters/{name}", timeout=10)
                self.made += 1
            except (OSError, urllib.error.URLError):
                return  # the server has ended

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(20)


def test_a_stop_while_changes_are_committed(fast_disk):
    dice = random.Random(1332)
    up = Up(fast_disk / "up")
    made = 0
    try:
        for stop in range(STOPS):
            up.start()
            with Changes(up.client) as changes:
                time.sleep(0.15 + dice.random() * 0.3)
                code = up.stop()
            made += changes.made
            assert code == 0, f"stop {stop} ended with {code}: {up.log_tail()}"
            assert not processes_under(up.folder), f"stop {stop} left processes"
    finally:
        up.close()
    assert made > STOPS  # the stops met changes
