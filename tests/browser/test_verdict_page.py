"""The page of a verdict in a real browser, from a server: nothing is blocked, nothing overflows."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.serving import make_server

from detectors.verdict import Opinion
from exporter.verdicts.desk import VerdictDesk
from exporter.verdicts.page import verdict_page
from exporter.verdicts.requests import NewVerdict
from exporter.verdicts.store import open_file
from tests.browser.conftest import chromium
from tests.fakes.watched import FakeWatched

pytestmark = pytest.mark.browser
HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=document.title='owned'>"


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    if shutil.which("chromium") is None:
        pytest.skip("chromium is not installed; deploy/install-servers.sh chromium installs it")
    store = open_file(tmp_path / "verdicts.sqlite")
    desk = VerdictDesk(store, FakeWatched())
    desk.give(NewVerdict(verdict=Opinion.FALSE, query="rate", note=HOSTILE, who=HOSTILE[:100]))
    app = Flask("test")
    app.register_blueprint(verdict_page(desk))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.port}/verdict"
    server.shutdown()
    thread.join()
    server.server_close()
    store.close()


@pytest.mark.parametrize("question", ["", "?query=rate", "?alert=none"])
def test_the_page_works_under_its_own_policy(url: str, question: str) -> None:
    done = chromium("--dump-dom", "--window-size=400,800", url + question)
    # The status 404 of an alert that is not known is worth a line to the browser.
    assert [line for line in re.findall(r"CONSOLE.*", done.stderr) if "404" not in line] == []
    assert "<title>Verdict · forethought</title>" in done.stdout
    assert done.stdout.count("<button") == (4 if question == "?query=rate" else 1)
