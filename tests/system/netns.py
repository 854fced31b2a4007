# SPDX-License-Identifier: Apache-2.0
"""A small network of machines for tests: a network namespace for each, a switch that joins them, and cuts between any two of
them. All of it lives in namespaces made here, and ends with the process that made it; nothing outside them is touched.
Needs root, iproute2 and nftables.

The thread that enters stands at the switch: it, and the threads and processes that it starts, reach every machine, as a
client on a machine of its own would. A cut drops packets silently, as a dead cable or a bad firewall does."""
import contextlib
import ctypes
import os
import subprocess

CLONE_NEWNET = 0x40000000
NETWORK = "10.77.0."
CLIENTS = NETWORK + "254"
RULES = """
add table bridge cuts
add set bridge cuts pairs {{ type ipv4_addr . ipv4_addr; }}
add chain bridge cuts passing {{ type filter hook forward priority 0; }}
add chain bridge cuts arriving {{ type filter hook input priority 0; }}
add chain bridge cuts leaving {{ type filter hook output priority 0; }}
{}"""


def _libc(name, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _run(*command, text=None):
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"


@contextlib.contextmanager
def standing_in(path):
    """This thread is in that network namespace for a while."""
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(path, os.O_RDONLY)
    try:
        _libc("setns", there, CLONE_NEWNET)
        yield
    finally:
        _libc("setns", here, CLONE_NEWNET)
        os.close(here)
        os.close(there)


class Machines:
    def __init__(self, *names):
        assert os.geteuid() == 0, "network namespaces need root"
        self.names = names
        self.address = {name: f"{NETWORK}{10 + i}" for i, name in enumerate(names)}
        self.address["clients"] = CLIENTS
        self._keepers = {}
        self._outside = None

    def __enter__(self):
        self._outside = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        _libc("unshare", CLONE_NEWNET)
        try:
            _run("ip", "link", "set", "lo", "up")
            _run("ip", "link", "add", "switch", "type", "bridge")
            _run("ip", "address", "add", CLIENTS + "/24", "dev", "switch")
            _run("ip", "link", "set", "switch", "up")
            drop = "ip saddr . ip daddr @pairs drop"
            _run("nft", "-f", "-", text=RULES.format("".join(
                f"add rule bridge cuts {chain} {drop}\n" for chain in ("passing", "arriving", "leaving"))))
            for name in self.names:
                self._plug_in(name)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for keeper in self._keepers.values():
            keeper.kill()
            keeper.communicate()
        self._keepers.clear()
        _libc("setns", self._outside, CLONE_NEWNET)
        os.close(self._outside)

    def _plug_in(self, name):
        # It ends when its stdin does, so also with a test that is killed.
        keeper = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo made; exec cat"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE)
        self._keepers[name] = keeper
        assert keeper.stdout.readline() == b"made\n"
        cable = f"to-{name}"[:15]
        _run("ip", "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", str(keeper.pid))
        _run("ip", "link", "set", cable, "master", "switch", "up")
        for rest in (["link", "set", "lo", "up"], ["address", "add", self.address[name] + "/24", "dev", "eth0"],
                     ["link", "set", "eth0", "up"]):
            _run(*self.prefix(name), "ip", *rest)

    def path(self, name):
        return f"/proc/{self._keepers[name].pid}/ns/net"

    def prefix(self, name):
        """What is put before a command to run it on that machine."""
        return ["nsenter", f"--net={self.path(name)}"]

    def cut(self, one, *others):
        """No packet passes between `one` and each of the others (all others, where none is named)."""
        pairs = []
        for other in others or [n for n in self.address if n != one]:
            a, b = self.address[one], self.address[other]
            pairs += [f"{a} . {b}", f"{b} . {a}"]
        _run("nft", "add element bridge cuts pairs {" + ", ".join(pairs) + "}")

    def heal(self):
        _run("nft", "flush set bridge cuts pairs")

    @contextlib.contextmanager
    def apart(self, one, *others):
        try:
            self.cut(one, *others)
            yield
        finally:
            self.heal()
