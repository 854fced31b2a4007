# SPDX-License-Identifier: Apache-2.0
"""What tests do to processes: kill, freeze and thaw them, load the machine, fill a disk. Whatever was frozen is thawed,
whatever was begun is ended, however a test ends."""
import contextlib
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading

from mysos_process import executor_of, servers, wait_for

FREEZE_SECONDS = 20


def kill(pids):
    """kill -9, one right after the other."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def server_of(folder, at):
    return servers(folder)[at["port"]]


def volume_of(folder, at):
    """The persistent volume of that member, in an embedded Mesos."""
    found = [v for v in pathlib.Path(folder).glob("mesos/agent-*/volumes/roles/*/*") if f"-{at['id']}-" in v.name]
    assert len(found) == 1, found
    return found[0]


def freeze(pid):
    """SIGSTOP, and waits until each thread stands. On a busy machine a thread goes on for some milliseconds after the signal:
    long enough to answer a query."""
    os.kill(pid, signal.SIGSTOP)
    wait_for(f"all threads of process {pid} stand", lambda: states_of_threads(pid) <= set("TtZX"), FREEZE_SECONDS, pause=0.002)


def states_of_threads(pid):
    """The letters of /proc/PID/task/TID/stat; a thread that has just ended has none."""
    states = set()
    for stat in pathlib.Path(f"/proc/{pid}/task").glob("*/stat"):
        with contextlib.suppress(OSError):
            states.add(stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0])
    return states


@contextlib.contextmanager
def frozen(*pids):
    """Freezes processes within the block. Yields those that had not ended."""
    standing = []
    try:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                freeze(pid)
                standing.append(pid)
        yield standing
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def busy_processors(limit_seconds):
    """As many endless loops as processors; they end by themselves after the limit."""
    loop = f"import time\nend = time.monotonic() + {limit_seconds}\nwhile time.monotonic() < end: pass"
    loops = [subprocess.Popen([sys.executable, "-c", loop]) for _ in range(os.cpu_count())]
    try:
        yield
    finally:
        for process in loops:
            process.kill()
            process.wait(10)


class Hiccups:
    """Now one, now another of the processes is frozen for up to `longest` seconds, by the dice of a seed."""

    def __init__(self, pids, longest=0.7, seed=1):
        self.pids, self.longest, self.count = list(pids), longest, 0
        self._dice = random.Random(seed)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while not self._stop.wait(self._dice.uniform(0.05, 0.8)):
            with frozen(self._dice.choice(self.pids)):
                self._stop.wait(self._dice.uniform(0.1, self.longest))
            self.count += 1

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(10)
        assert not self._thread.is_alive()


def hiccups_of(up, cluster, **more):
    """Of the scheduler, and of the primary's server and executor."""
    primary = next(m for m in cluster["members"] if m["role"] == "primary")
    return Hiccups([up.process.pid, server_of(up.folder, primary), executor_of(up.folder, primary)], **more)


@contextlib.contextmanager
def file_system(image, folder, megabytes=2500):
    """A file system of its own that can be filled. In a file, not in memory: memory would count as the member's."""
    assert os.geteuid() == 0, "this mounts a small file system, for which it must be root"
    folder.mkdir(parents=True, exist_ok=True)
    with open(image, "wb") as f:
        f.truncate(megabytes << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", image], check=True, timeout=60)
    subprocess.run(["mount", "-o", "loop", image, folder], check=True, timeout=20)
    try:
        folder.chmod(0o755)
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True, timeout=60)
        image.unlink()


@contextlib.contextmanager
def full(folder):
    filler = folder / "filler"
    try:
        with open(filler, "wb", buffering=0) as f:
            piece = 1 << 30  # allotted and not written: that would take the disk's time too, and be another fault
            while piece >= 4096:
                try:
                    os.posix_fallocate(f.fileno(), os.fstat(f.fileno()).st_size, piece)
                except OSError:
                    piece //= 2
        yield
    finally:
        filler.unlink()


@contextlib.contextmanager
def stalled(folder):
    """Nothing that is written to the file system of the folder comes to its end."""
    subprocess.run(["fsfreeze", "--freeze", folder], check=True, timeout=30)
    try:
        yield
    finally:
        subprocess.run(["fsfreeze", "--unfreeze", folder], check=True, timeout=30)
