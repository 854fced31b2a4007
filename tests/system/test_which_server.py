# SPDX-License-Identifier: Apache-2.0
"""Two installations on one machine: a command goes to the one that its flags name, whatever the environment says."""
import subprocess

import pytest
from mysos_process import Up


@pytest.fixture(scope="module")
def two(work):
    made = [Up(work / name, agents=1) for name in ("wanted", "other")]
    try:
        for up in made:
            up.start().client.create("shop", "mariadb", members=1)
        yield made
    finally:
        for up in made:
            up.close()


def run(up, *arguments, **variables):
    return subprocess.run(up.command(*arguments), capture_output=True, text=True, timeout=60, check=False,
                          env=dict(up.environment, **variables))


def test_a_directory_that_is_named_beats_the_environment(two):
    wanted, other = two
    leftover = dict(MYSOS_URL=other.url, MYSOS_TOKEN=other.client.token, MYSOS_DIR=str(other.folder))

    deleted = run(wanted, "delete", "shop", "--yes", "--wait", f"--dir={wanted.folder}", **leftover)

    assert deleted.returncode == 0, deleted
    assert wanted.client.clusters() == []
    assert [c["name"] for c in other.client.clusters()] == ["shop"]
    assert run(wanted, "list", f"--url={wanted.url}", f"--token-file={wanted.token_file}", **leftover).stdout.count("shop") == 0
    assert "shop" in run(wanted, "list", **leftover).stdout
    assert "shop" in run(wanted, "list", MYSOS_DIR=str(other.folder)).stdout
    # Not the other's token at the wanted one's address, without being told so.
    mixed = run(wanted, "list", f"--url={wanted.url}", **leftover)
    assert mixed.returncode == 3, mixed
    both = run(wanted, "list", "--token=x", f"--token-file={wanted.token_file}")
    assert both.returncode == 2 and "contradict" in both.stderr, both
