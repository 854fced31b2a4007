# SPDX-License-Identifier: Apache-2.0
"""Stand-ins for shared libraries that an object wants in versions this system does not have: OpenSSL 1.0 and curl's old
symbol version. Every function of them returns 0; with TLS off and no URIs to fetch, none is ever called."""
import collections
import pathlib
import re
import subprocess

WANTED = re.compile(r"lib(ssl|crypto|curl)\.so")


def _output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=120).stdout


def make(shared_object, folder, compiler):
    versions = collections.defaultdict(list)  # library: its symbol versions that the object asks for
    library = None
    for line in _output("readelf", "-VW", str(shared_object)).splitlines():
        if hit := re.search(r"File: (\S+)", line):
            library = hit.group(1)
        elif library and (hit := re.search(r"Name: (\S+)\s+Flags", line)):
            versions[library].append(hit.group(1))
    symbols = collections.defaultdict(set)
    for line in _output("nm", "-D", "--undefined-only", str(shared_object)).splitlines():
        if hit := re.match(r"\s+U (\w+)@(\S+)", line):
            symbols[hit.group(2)].add(hit.group(1))
    for library in filter(WANTED.match, versions):
        source, script = ["typedef long stub;"], []
        for version in versions[library]:
            names = sorted(symbols[version])
            source += [f"stub {name}(void) {{ return 0; }}" for name in names]
            exported = " ".join(name + ";" for name in names) or f"nothing_of_{version};"
            script.append(f"{version} {{ global: {exported} }};")
        c, map_file = pathlib.Path(folder, library + ".c"), pathlib.Path(folder, library + ".map")
        c.write_text("\n".join(source) + "\n", encoding="utf-8")
        map_file.write_text("\n".join(script) + "\n", encoding="utf-8")
        subprocess.run([compiler, "-shared", "-fPIC", "-fno-builtin", "-O1", "-w", "-o",
                        str(pathlib.Path(folder, library)), f"-Wl,-soname,{library}",
                        f"-Wl,--version-script,{map_file}", str(c)], check=True, timeout=120)
        c.unlink()
        map_file.unlink()
