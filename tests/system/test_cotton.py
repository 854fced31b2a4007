# SPDX-License-Identifier: Apache-2.0
"""Cotton's two calls, as its existing clients make them: form-encoded, no header, no token, no redirect."""
import urllib.parse

import pymysql
import pytest
from mysos_process import HEAL_SECONDS, Up, servers, wait_for

SIZE = '{"cpus": 0.2, "mem": "512MB", "disk": "1GB"}'


@pytest.fixture(scope="module")
def open_up(work):
    running = Up(work / "cotton", "--cotton-api=open")
    try:
        yield running.start()
    finally:
        running.close()


def send(up, method, name, **fields):
    return up.client.request(method, f"/clusters/{name}", urllib.parse.urlencode(fields), token=False,
                             headers={"Content-Type": "application/x-www-form-urlencoded"})


def test_create_use_and_delete(open_up):
    made = send(open_up, "POST", "jobs", cluster_user="jobs", num_nodes="2", size=SIZE, backup_id="", cluster_password="")
    assert made.status == 200, made
    answer = made.json
    assert set(answer) == {"cluster_url", "cluster_password"} and answer["cluster_password"]
    open_up.client.wait_state("jobs", "healthy", 120)
    host, port = open_up.client.cluster("jobs")["endpoints"]["primary"].rsplit(":", 1)
    with pymysql.connect(host=host, port=int(port), user="jobs", password=answer["cluster_password"]) as c:
        with c.cursor() as cursor:
            cursor.execute("SELECT 1")
            assert cursor.fetchall() == ((1,),)

    assert send(open_up, "POST", "jobs", cluster_user="jobs").status == 409
    assert send(open_up, "DELETE", "jobs").status == 400
    assert send(open_up, "DELETE", "jobs", password="wrong").status == 403
    assert send(open_up, "DELETE", "jobs", password=answer["cluster_password"]).status == 200
    wait_for("it is gone", lambda: open_up.client.get("/v1/clusters/jobs").status == 404, HEAL_SECONDS)
    wait_for("no server is left", lambda: not servers(open_up.folder), HEAL_SECONDS)
    assert send(open_up, "DELETE", "jobs", password="x").status == 404


@pytest.mark.parametrize("fields", [{}, {"cluster_user": ""}, {"cluster_user": "a", "num_nodes": "zero"},
                                    {"cluster_user": "a", "num_nodes": "0"}, {"cluster_user": "a", "size": "big"},
                                    {"cluster_user": "a", "backup_id": "7"}, {"cluster_user": "a", "colour": "red"}])
def test_a_wrong_form(open_up, fields):
    answer = send(open_up, "POST", "jobs", **fields)
    assert answer.status == 400 and answer.json["detail"], answer
    assert open_up.client.clusters() == []


def test_by_default_a_token_is_asked_for(up):
    assert send(up, "POST", "jobs", cluster_user="jobs").status == 401
    assert send(up, "DELETE", "jobs", password="x").status == 401
    assert up.client.clusters() == []
