#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows that each rule of tools/tidy can fail, and that it is silent on a tree that keeps it."""
import importlib.machinery
import importlib.util
import pathlib
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("tidy", str(HERE / "tidy"))
tidy = importlib.util.module_from_spec(importlib.util.spec_from_loader("tidy", loader))
loader.exec_module(tidy)

SPDX = "// SPDX-License-Identifier: Apache-2.0\n"
HEADER = SPDX + "#pragma once\n// A thing.\n"
UNFINISHED = "TO" + "DO"
EVENTS = HEADER + '// {kPrimaryChosen, "primary_chosen"}\n'
HOUSE = {
    "CMakeLists.txt": "# SPDX-License-Identifier: Apache-2.0\nforeach(room base model mesos core/plan core local cli)\n",
    "src/base/CMakeLists.txt": "# SPDX-License-Identifier: Apache-2.0\nmysos_module(NAME base SOURCES log.cc)\n",
    "src/base/log.cc": SPDX + '#include "base/log.h"\n',
    "src/base/log.h": HEADER,
    "src/base/time.h": HEADER,
    "src/model/CMakeLists.txt": "# SPDX-License-Identifier: Apache-2.0\nmysos_module(NAME model DEPS base)\n",
    "src/model/cluster.h": HEADER + '#include "base/time.h"\n',
    "src/model/event.h": EVENTS,
    "src/core/CMakeLists.txt": "# SPDX-License-Identifier: Apache-2.0\n"
                               "mysos_module(NAME core SOURCES core.cc TESTS core_test.cc DEPS base model)\n",
    "src/core/core.cc": SPDX + '#include "model/cluster.h"\n// sleep(1), std::thread: only words here\n'
                               'void f() { note(EventKind::kPrimaryChosen); }\n',
    "src/core/core_test.cc": SPDX,
    "src/core/plan/CMakeLists.txt": "# SPDX-License-Identifier: Apache-2.0\n"
                                    "mysos_module(NAME core_plan SOURCES plan.cc DEPS base model)\n",
    "src/core/plan/plan.cc": SPDX + '#include "core/plan/plan.h"\n#include "model/cluster.h"\n',
    "src/core/plan/plan.h": HEADER,
    "src/mesos/CMakeLists.txt": "# SPDX-License-Identifier: Apache-2.0\nmysos_module(NAME mesos SOURCES c.cc DEPS base)\n",
    "src/mesos/c.cc": SPDX + 'auto m = metrics.counter("mysos_calls_total", "h");\n',
    "src/cli/CMakeLists.txt": "# SPDX-License-Identifier: Apache-2.0\nmysos_module(NAME cli SOURCES main.cc DEPS base)\n",
    "src/cli/main.cc": SPDX + 'void f() { app.add_option("-o,--output", o); }\n',
    "docs/metrics.md": "| name |\n|---|\n| `mysos_calls_total` | calls |\n",
    "docs/events.md": "| kind |\n|---|\n| `primary_chosen` | x |\n",
    "docs/cli.md": "`--output` says how. [metrics](metrics.md)\n",
}


class Rules(unittest.TestCase):
    def setUp(self):
        self.addCleanup(setattr, tidy, "LENGTH_EXCEPTIONS", tidy.LENGTH_EXCEPTIONS)
        tidy.LENGTH_EXCEPTIONS = {}  # those of the real tree

    def found(self, changes=None, only=None, without=()):
        with tempfile.TemporaryDirectory() as folder:
            tree = dict(HOUSE, **(changes or {}))
            for path, text in tree.items():
                if path in without:
                    continue
                file = pathlib.Path(folder, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
            return list(tidy.findings(folder, only))

    def assert_finds(self, rule, changes, *words, without=()):
        found = self.found(changes, [rule], without)
        self.assertEqual(1, len(found), found)
        for word in (f"[{rule}]",) + words:
            self.assertIn(word, found[0])

    def test_a_clean_house_has_no_findings(self):
        self.assertEqual([], self.found())

    def test_every_rule_is_shown_here(self):
        shown = {name.split("_")[2] for name in dir(self) if name.startswith("test_rule_")}
        self.assertEqual({r.split("_")[0] for r in tidy.RULES}, shown)

    def test_rule_layers_include_outside_deps(self):
        self.assert_finds("layers", {"src/base/log.cc": SPDX + '#include "model/cluster.h"\n'}, "base includes", ":2:")

    def test_rule_layers_arrow_up(self):
        cmake = HOUSE["src/base/CMakeLists.txt"].replace("log.cc", "log.cc DEPS mesos")
        self.assert_finds("layers", {"src/base/CMakeLists.txt": cmake}, "base -> mesos points up")

    def test_rule_layers_pure_core(self):
        cmake = HOUSE["src/core/CMakeLists.txt"].replace("DEPS", "DEPS mesos")
        self.assert_finds("layers", {"src/core/CMakeLists.txt": cmake}, "core is pure")

    def test_rule_layers_unknown_room(self):
        cmake = HOUSE["src/mesos/CMakeLists.txt"].replace("DEPS", "DEPS attic")
        self.assert_finds("layers", {"src/mesos/CMakeLists.txt": cmake}, "attic")
        self.assert_finds("layers", {"src/attic/CMakeLists.txt": "mysos_module(NAME attic)\n"}, "attic is not in the list")

    def test_rule_layers_sub_rooms(self):
        up = SPDX + '#include "core/core.h"\n'
        self.assert_finds("layers", {"src/core/plan/plan.cc": up}, "core/plan includes core/core.h, but core is not in")
        down = {"src/core/core_test.cc": SPDX + '#include "core/plan/plan.h"\n'}
        self.assert_finds("layers", down, "core includes core/plan/plan.h, but core/plan is not in its DEPS")
        cmake = HOUSE["src/core/CMakeLists.txt"]
        self.assertEqual([], self.found(dict(down, **{"src/core/CMakeLists.txt": cmake.replace("model", "model core_plan")})))
        cmake = HOUSE["src/core/plan/CMakeLists.txt"]
        self.assert_finds("layers", {"src/core/plan/CMakeLists.txt": cmake.replace("model", "model core")}, "points up")

    def test_rule_layers_relative_include(self):
        self.assert_finds("layers", {"src/base/log.cc": SPDX + '#include "log.h"\n'}, "does not start at src/")

    def test_rule_layers_test_deps_are_for_tests_only(self):
        cmake = HOUSE["src/core/CMakeLists.txt"].replace("DEPS base", "TEST_DEPS mesos DEPS base")
        include = SPDX + '#include "mesos/c.h"\n'
        changes = {"src/core/CMakeLists.txt": cmake, "src/core/core_test.cc": include}
        self.assertEqual([], self.found(changes, ["layers"]))
        self.assert_finds("layers", dict(changes, **{"src/core/core.cc": include}), "src/core/core.cc")

    def test_rule_pure_words(self):
        for line in ("auto t = std::chrono::steady_clock::now();", "auto t = std::chrono::system_clock::now();",
                     "auto t = time(nullptr);", "std::random_device r;", "std::mt19937 g;", "int x = rand();",
                     "sleep(1);", "std::this_thread::yield();", "std::thread t;", "std::mutex m;",
                     "std::unordered_map<int, int> m;", "auto x = getenv(\"HOME\");", "auto f = fopen(\"x\", \"r\");",
                     "std::cout << 1;", "std::ifstream f;", "#include <iostream>", "#include <boost/asio.hpp>",
                     "auto a = reinterpret_cast<std::uintptr_t>(p);"):
            for path in ("src/core/core.cc", "src/core/plan/plan.cc", "src/model/cluster.h", "src/local/master_core.cc"):
                head = HEADER if path.endswith(".h") else SPDX
                found = self.found({path: head + line + "\n"}, ["pure"])
                self.assertTrue(found and path in found[0], f"{line} in {path}: {found}")

    def test_rule_pure_leaves_other_rooms_alone(self):
        self.assertEqual([], self.found({"src/mesos/c.cc": SPDX + "std::thread t;\n"}, ["pure"]))

    def test_rule_pure_base_headers(self):
        self.assert_finds("pure", {"src/core/core.cc": SPDX + '#include "base/log.h"\n'}, "base/log.h")

    def test_rule_named(self):
        self.assert_finds("named", {"src/core/lost_test.cc": SPDX}, "src/core/lost_test.cc")
        self.assert_finds("named", {"src/core/plan/lost.cc": SPDX}, "src/core/plan/lost.cc", "src/core/plan/CMakeLists.txt")

    def test_rule_one_place(self):
        heavy = SPDX + "#include <spdlog/spdlog.h>\n"
        self.assertEqual([], self.found({"src/base/log.cc": heavy}, ["one_place"]))
        self.assert_finds("one_place", {"src/base/log.cc": heavy, "src/base/more.cc": heavy}, "src/base/more.cc")
        self.assert_finds("one_place", {"src/base/log.h": HEADER + "#include <CLI/CLI.hpp>\n"}, "in a header")

    def test_rule_banned(self):
        for line in ("co_spawn(x, f(), asio::detached);", "std::this_thread::sleep_for(1s);", "using namespace std;",
                     "std::system(cmd);",
                     "auto x = co_await asio::co_spawn(pool, f(), asio::use_awaitable);"):
            self.assert_finds("banned", {"src/mesos/c.cc": SPDX + line + "\n"}, ":2:")

    def test_rule_spdx(self):
        for path in ("src/mesos/c.cc", "tools/x.py", "src/mesos/CMakeLists.txt", "tools/x.cmake"):
            self.assert_finds("spdx", {path: "\n"}, path)
        self.assert_finds("spdx", {"run": "#!/bin/sh\necho\n"}, "run")
        self.assertEqual([], self.found({"run": "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n"}, ["spdx"]))

    def test_rule_header(self):
        self.assert_finds("header", {"src/base/log.h": SPDX + "#pragma once\n#include <string>\n"}, "src/base/log.h")
        self.assert_finds("header", {"src/base/log.h": SPDX + "// A thing.\n"}, "src/base/log.h")

    def test_rule_columns(self):
        self.assert_finds("columns", {"src/mesos/c.cc": SPDX + "/" * (tidy.MAX_COLUMNS + 1) + "\n"}, ":2:")

    def test_rule_length(self):
        self.assert_finds("length", {"src/mesos/c.cc": SPDX * (tidy.MAX_LINES + 1)}, "the limit is")
        self.assert_finds("length", {"src/core/core_test.cc": SPDX * (tidy.MAX_TEST_LINES + 1)}, "the limit is")

    def test_rule_length_exceptions_are_watched(self):
        tidy.LENGTH_EXCEPTIONS = {"src/mesos/c.cc": tidy.MAX_LINES + 10}
        self.assert_finds("length", {}, "needs no exception")
        self.assertEqual([], self.found({"src/mesos/c.cc": SPDX * (tidy.MAX_LINES + 5)}, ["length"]))
        self.assert_finds("length", {"src/mesos/c.cc": SPDX * (tidy.MAX_LINES + 11)}, "the limit is")
        self.assert_finds("length", {}, "but not there", without=("src/mesos/c.cc",))

    def test_rule_todo(self):
        self.assert_finds("todo", {"src/mesos/c.cc": SPDX + f"// {UNFINISHED}: later\n"}, ":2:")
        self.assertEqual([], self.found({"src/mesos/c.cc": SPDX + f"// {UNFINISHED}(#4): later\n"}, ["todo"]))

    def test_rule_white(self):
        for text in ("int x; \n", "\tint x;\n", "int x;"):
            self.assert_finds("white", {"src/mesos/c.cc": SPDX + text}, "src/mesos/c.cc")

    def test_rule_metrics(self):
        self.assert_finds("metrics", {"docs/metrics.md": ""}, "mysos_calls_total")
        self.assert_finds("metrics", {"src/mesos/c.cc": SPDX}, "docs/metrics.md:3", "nothing has it")

    def test_rule_events(self):
        made = SPDX + "void f() { note(EventKind::kPrimaryChosen); note(EventKind::kPrimaryLost); }\n"
        self.assert_finds("events", {"src/model/event.h": EVENTS + '// {kPrimaryLost, "primary_lost"}\n',
                                     "src/core/core.cc": made}, "primary_lost")
        self.assert_finds("events", {"docs/events.md": "| `primary_chosen` | x |\n| `primary_gone` | x |\n"}, "primary_gone")
        self.assert_finds("events", {"src/core/core.cc": SPDX}, "nothing makes")
        self.assert_finds("events", {"docs/events.md": "| `primary_chosen` | **Alarm.** x |\n"}, "alarm")

    def test_rule_flags(self):
        self.assert_finds("flags", {"docs/cli.md": ""}, "--output")
        self.assert_finds("flags", {"src/cli/main.cc": SPDX}, "docs/cli.md:1", "nothing has it")
        words = {"src/model/command.h": HEADER + 'FieldWords f{"to", "--to", "the member"};\n'}
        self.assert_finds("flags", words, "--to")
        self.assertEqual([], self.found(dict(words, **{"docs/commands.md": "`--to`\n"}), ["flags"]))
        self.assert_finds("flags", {"docs/commands.md": "`--to`\n"}, "docs/commands.md:1", "nothing has it")

    def test_rule_walkthrough(self):
        row = "| it runs | `Core::run()`, `{name}()` | `src/core/core.cc` |\n"
        source = SPDX + "void Core::run() {}\nvoid help() {}\n"
        files = {"src/core/core.cc": source, "docs/architecture.md": row.format(name="help")}
        self.assertEqual([], self.found(files, ["walkthrough"]))
        wrong = {"docs/architecture.md": row.format(name="helps")}
        self.assert_finds("walkthrough", files | wrong, "helps is not in src/core/core.cc")

    def test_rule_links(self):
        self.assert_finds("links", {"docs/cli.md": "[x](nowhere.md)\n"}, "nowhere.md")


if __name__ == "__main__":
    unittest.main()
