# SPDX-License-Identifier: Apache-2.0
"""What bad input gets: a sentence that names the field and the limit, the right status, and nothing half-made."""
import pytest
from mysos_process import SMALL, executors, servers

GOOD = dict(SMALL, name="shop", members=3)

# change to GOOD, status, field, words of the sentence
BODIES = [
    ({"name": "Shop"}, 422, "name", ["DNS label", "63"]),
    ({"name": "a" * 64}, 422, "name", ["63"]),
    ({"name": "-shop"}, 422, "name", ["DNS label"]),
    ({"name": "shop_1"}, 422, "name", ["DNS label"]),
    ({"name": ""}, 422, "name", ["DNS label"]),
    ({"name": 7}, 422, "name", ["name"]),
    ({"name": None}, 422, "name", ["name"]),
    ({"members": 0}, 422, "members", ["1", "9"]),
    ({"members": 10}, 422, "members", ["1", "9"]),
    ({"members": -1}, 422, "members", ["1 to 9", "-1"]),
    ({"members": 2.5}, 422, "members", ["1 to 9"]),
    ({"members": "three"}, 422, "members", ["1 to 9", "three"]),
    ({"mem": "16MB"}, 422, "mem", ["at least"]),
    ({"mem": "lots"}, 422, "mem", ["mem"]),
    ({"mem": "900TB"}, 422, "mem", ["mem"]),
    ({"mem": -5}, 422, "mem", ["mem"]),
    ({"disk": "1kB"}, 422, "disk", ["at least"]),
    ({"disk": "900TB"}, 422, "disk", ["disk"]),
    ({"cpus": 0}, 422, "cpus", ["cpus"]),
    ({"cpus": 1000}, 422, "cpus", ["agent", "cpus"]),
    ({"cpus": "many"}, 422, "cpus", ["cpus"]),
    ({"version": "mysql-3.23"}, 422, "version", ["mysql-3.23", "mariadb-10.11"]),
    ({"user": "root"}, 422, "user", ["root"]),
    ({"user": "x'; drop"}, 422, "user", ["user"]),
    ({"password": "short"}, 422, "password", ["8"]),
    ({"membres": 3}, 422, "membres", ["members"]),
]


def assert_problem(answer, status, field=None, words=()):
    assert answer.status == status, answer
    assert answer.headers["Content-Type"].startswith("application/problem+json"), dict(answer.headers)
    problem = answer.json
    assert problem["status"] == status and problem["title"], problem
    if field:
        assert problem.get("field") == field, problem
    for word in words:
        assert word in problem["detail"], f"{word!r} is not in {problem['detail']!r}"


@pytest.fixture(autouse=True)
def nothing_is_half_made(up):
    yield
    assert up.client.clusters() == []
    assert not servers(up.folder) and not executors(up.folder)


@pytest.mark.parametrize("change, status, field, words", BODIES, ids=lambda v: str(v)[:40])
def test_a_wrong_value(up, change, status, field, words):
    assert_problem(up.client.post("/v1/clusters", dict(GOOD, **change)), status, field, words)


@pytest.mark.parametrize("body", ["", "{", "[]", "7", "null", '{"name":"shop"', "\x00", '{"name": "shop", "name": "b"'])
def test_a_broken_body(up, body):
    answer = up.client.post("/v1/clusters", body, headers={"Content-Type": "application/json"})
    assert_problem(answer, 400)


def test_a_body_that_is_too_large(up):
    answer = up.client.post("/v1/clusters", '{"name": "' + "x" * (3 << 20) + '"}', headers={"Content-Type": "application/json"})
    assert answer.status == 413, answer


@pytest.mark.parametrize("method, path", [("GET", "/v1/clusters"), ("POST", "/v1/clusters"), ("DELETE", "/v1/clusters/x"),
                                          ("GET", "/v1/events"), ("GET", "/v1/agents"), ("POST", "/clusters/x"),
                                          ("GET", "/v1/clusters/x/credentials")])
@pytest.mark.parametrize("token", [False, "wrong", ""])
def test_a_missing_or_wrong_token(up, method, path, token):
    assert_problem(up.client.request(method, path, "{}" if method == "POST" else None, token=token), 401)


def test_what_is_not_there(up):
    for answer in (up.client.get("/v1/clusters/nope"), up.client.delete("/v1/clusters/nope"),
                   up.client.post("/v1/clusters/nope/switchover"), up.client.get("/v1/nothing")):
        assert_problem(answer, 404)


def test_a_wrong_method(up):
    answer = up.client.request("PUT", "/v1/clusters", "{}")
    assert answer.status == 405 and "POST" in answer.headers["Allow"], answer


# arguments, exit code, words that stdout or stderr must hold
COMMANDS = [
    (["create", "Shop"], 2, ["name", "63"]),
    (["create", "shop", "--members=0"], 2, ["members"]),
    (["create", "shop", "--members=10"], 2, ["members", "9"]),
    (["create", "shop", "--members=abc"], 2, ["members", "1 to 9", "abc"]),
    (["create", "shop", "--mem=1MB"], 2, ["mem", "at least"]),
    (["create", "shop", "--mem=x"], 2, ["mem"]),
    (["create", "shop", "--version=mysql-1"], 2, ["mysql-1", "mariadb-10.11"]),
    (["create", "shop", "--membres=3"], 2, ["--members"]),
    (["create"], 2, ["name"]),
    (["show", "nope"], 4, ["nope"]),
    (["delete", "nope", "--yes"], 4, ["nope"]),
    (["connect", "nope", "-e", "select 1"], 4, ["nope"]),
    (["crate", "shop"], 2, ["create"]),
]


@pytest.mark.parametrize("arguments, code, words", COMMANDS, ids=lambda v: " ".join(v) if isinstance(v, list) else str(v))
def test_a_wrong_command(up, arguments, code, words):
    said = up.cli(*arguments)
    assert said.returncode == code, said
    assert said.stdout == "", said
    for word in words:
        assert word in said.stderr, said


def test_the_command_line_without_a_good_token(up):
    said = up.cli("list", token="wrong")
    assert said.returncode == 3 and "token" in said.stderr, said
