"""The demo's receiver keeps and shows what Alertmanager sends."""

import json
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from demo.receiver import Inbox, Notification, create_app

BODY = {
    "status": "firing",
    "receiver": "acme",
    "commonLabels": {"alertname": "ForethoughtAnomaly"},
    "alerts": [
        {"labels": {"alertname": "ForethoughtAnomaly"}, "annotations": {"summary": "Unusual: <b>failures</b>"}},
        {"labels": {"alertname": "ForethoughtAnomaly"}, "annotations": {}},
    ],
}


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path / "notifications.json", lambda _: None, clock=lambda: 1_795_219_200.0)


@pytest.fixture
def client(inbox: Inbox) -> FlaskClient:
    return create_app(inbox).test_client()


def test_a_notification_is_kept_in_the_file_and_on_both_pages(
    inbox: Inbox, client: FlaskClient, tmp_path: Path
) -> None:
    assert client.post("/hook", json=BODY).status_code == 204
    kept = [{"received": 1_795_219_200.0, "notification": BODY}]
    assert json.loads((tmp_path / "notifications.json").read_text()) == kept
    assert client.get("/api/notifications").json == kept
    page = client.get("/").text
    assert "1 notification" in page
    assert "Unusual: &lt;b&gt;failures" in page


def test_a_notification_shows_why_and_asks_whether_it_was_right(client: FlaskClient) -> None:
    annotations = {"why": "9 where 1..2 was expected", "verdict_url": "http://127.0.0.1:9815/verdict?query=a&series=b"}
    client.post("/hook", json=BODY | {"alerts": [{"labels": {}, "annotations": annotations}]})
    page = client.get("/").text
    assert "9 where 1..2 was expected" in page
    assert '<a href="http://127.0.0.1:9815/verdict?query=a&amp;series=b">Was this right?</a>' in page


def test_nothing_yet_is_said_so(client: FlaskClient, tmp_path: Path) -> None:
    assert "None yet" in client.get("/").text
    assert json.loads((tmp_path / "notifications.json").read_text()) == []


@pytest.mark.parametrize("body", [b"", b"not json", b"[1]", b"\xff"])
def test_what_is_no_notification_is_refused_and_not_kept(body: bytes, inbox: Inbox, client: FlaskClient) -> None:
    answer = client.post("/hook", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.text == "The body must be a JSON object, as Alertmanager sends it.\n"
    assert inbox.notifications == []


def test_each_arrival_is_told_in_one_line(tmp_path: Path) -> None:
    told: list[Notification] = []
    inbox = Inbox(tmp_path / "notifications.json", told.append)
    many = BODY | {"alerts": [BODY["alerts"][0]] * 5}
    inbox.take(BODY)
    inbox.take(many)
    assert [one.line for one in told] == [
        "FIRING ForethoughtAnomaly -> acme: Unusual: <b>failures</b>, ForethoughtAnomaly",
        "FIRING ForethoughtAnomaly -> acme: " + ", ".join(["Unusual: <b>failures</b>"] * 3) + " and 2 more",
    ]
