"""A Chromium that opens pages and says when they were drawn, over the pipe of its debugging protocol."""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import tempfile
from collections.abc import Iterator
from typing import Any

import orjson

_FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe")


class Browser:
    """One tab.

    Parameters
    ----------
    to, from_ : int
        File descriptors to write commands to and read answers from.
    """

    def __init__(self, to: int, from_: int) -> None:
        self._to, self._from, self._rest = to, from_, b""
        self._numbers, self._session = itertools.count(1), ""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.ask("Page.enable")

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and give its result; raises RuntimeError where it is refused."""
        number = next(self._numbers)
        session = {"sessionId": self._session} if self._session else {}
        os.write(self._to, orjson.dumps({"id": number, "method": method, "params": parameters} | session) + b"\0")
        while (told := self._next()).get("id") != number:
            pass
        if "error" in told:
            raise RuntimeError(f"{method}: {told['error']['message']}")
        result: dict[str, Any] = told["result"]
        return result

    def drawn_after(self, url: str, when: str) -> float:
        """Open a page; seconds from there until the expression `when` holds and the picture after that was drawn."""
        script = self.ask("Page.addScriptToEvaluateOnNewDocument", source=_WATCH % when)["identifier"]
        self.ask("Page.navigate", url=url)
        while True:
            told = self.ask("Runtime.evaluate", expression=_WAIT, awaitPromise=True)["result"]
            if "value" in told:
                break
        self.ask("Page.removeScriptToEvaluateOnNewDocument", identifier=script)
        return float(told["value"]) / 1000

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            if not (read := os.read(self._from, 1_000_000)):
                raise RuntimeError("the browser has ended.")
            self._rest += read
        message, _, self._rest = self._rest.partition(b"\0")
        told: dict[str, Any] = orjson.loads(message)
        return told


# Times are those of the page's own clock, which begins with the navigation.
_WATCH = """
new MutationObserver((_, observer) => {
  if (!(%s)) return;
  observer.disconnect();
  requestAnimationFrame(() => setTimeout(() => { window.drawnAfter = performance.now(); }));
}).observe(document, { subtree: true, childList: true, characterData: true });
"""
_WAIT = """
new Promise((resolve) => {
  const look = () => (window.drawnAfter ? resolve(window.drawnAfter) : setTimeout(look, 5));
  look();
})
"""


@contextlib.contextmanager
def browsing(width: int = 1280, height: int = 1400) -> Iterator[Browser]:
    """Start a Chromium and end it."""
    (theirs_in, ours_out), (ours_in, theirs_out) = os.pipe(), os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        # The protocol reads descriptor 3 and writes 4.
        shell = f'exec 3<&{theirs_in} 4>&{theirs_out}; exec chromium "$@"'
        flags = [*_FLAGS, f"--window-size={width},{height}", f"--user-data-dir={profile}"]
        process = subprocess.Popen(
            ["bash", "-c", shell, "chromium", *flags], pass_fds=(theirs_in, theirs_out), stderr=subprocess.DEVNULL
        )
        os.close(theirs_in)
        os.close(theirs_out)
        try:
            yield Browser(ours_out, ours_in)
        finally:
            process.kill()
            process.wait()
            os.close(ours_out)
            os.close(ours_in)
