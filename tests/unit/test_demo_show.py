"""What the demo prints."""

import io
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest
from rich.console import Console

from demo import show
from demo.incidents import SCHEDULE, placed


class OldPages(BaseHTTPRequestHandler):
    """Answers as Debian's Prometheus does: the graph page has moved."""

    def do_GET(self) -> None:
        moved = not self.path.startswith("/classic/")
        self.send_response(302 if moved else 200)
        if moved:
            self.send_header("Location", "/classic/graph")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


class NewPages(OldPages):
    """Answers as a Prometheus with its own user interface does."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()


class NoPages(OldPages):
    """Answers as a Prometheus without any page at that path does."""

    def do_GET(self) -> None:
        self.send_error(404)


@pytest.mark.parametrize(
    ("pages", "path"), [(OldPages, "/classic/graph"), (NewPages, "/graph"), (NoPages, "/classic/graph")]
)
def test_a_graph_link_leads_to_the_pages_this_prometheus_has(pages: type[OldPages], path: str) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), pages) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        link = urlsplit(show.graph(f"http://127.0.0.1:{server.server_address[1]}", 'up{job="a b"}', "2w"))
        server.shutdown()
    assert link.path == path
    assert parse_qs(link.query)["g0.range_input"] == ["2w"]
    assert parse_qs(link.query)["g0.expr"] == ['up{job="a b"}']


def test_the_timetable_names_every_incident_in_the_order_of_the_clock() -> None:
    output = io.StringIO()
    show.timetable(Console(file=output, width=200), placed(SCHEDULE, 1_795_219_200.0))
    lines = output.getvalue().splitlines()
    shown = [kind for line in lines for kind in {one.kind for one in SCHEDULE} if kind in line]
    assert shown == [one.kind for one in sorted(SCHEDULE, key=lambda one: one.start)]


def test_no_incidents_no_timetable() -> None:
    output = io.StringIO()
    show.timetable(Console(file=output), ())
    assert output.getvalue() == "Nothing is planned to go wrong; nothing should alert.\n"


def test_the_schedule_fills_half_an_hour_and_begins_at_once() -> None:
    assert min(one.start for one in SCHEDULE) < 10
    assert max(one.end for one in SCHEDULE) == 1_800
    assert len({one.kind for one in SCHEDULE}) == 6
