"""A TCP proxy that slows its server down, cuts answers off, or lets nobody through."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from typing import Literal, Self

Trouble = Literal["none", "slow", "too_slow", "cut", "down"]

_DELAY = {"slow": 0.15, "too_slow": 3.0}
# A cut answer ends within its samples: behind the HTTP header, before the end of the body.
_CUT_AFTER = 700


class TroubledProxy:
    """Forwards to a port of this machine, with the trouble of the moment.

    Attributes
    ----------
    trouble : str
        For answers from now on.
    """

    def __init__(self, port: int) -> None:
        self.trouble: Trouble = "none"
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        for one in list(self._open):
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client:
            if self.trouble == "down":
                return
            with socket.create_connection(("127.0.0.1", self._target)) as server:
                self._open |= {client, server}
                threading.Thread(target=self._answer, args=(server, client), daemon=True).start()
                while data := client.recv(65_536):
                    server.sendall(data)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65_536):
                time.sleep(_DELAY.get(self.trouble, 0.0))
                if self.trouble == "cut":
                    client.sendall(data[:_CUT_AFTER])
                if self.trouble in ("cut", "down"):
                    client.shutdown(socket.SHUT_RDWR)
                    return
                client.sendall(data)
