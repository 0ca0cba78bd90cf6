"""A wire between a client and a server that can be slow, cut, or silent: the faults of a real network."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import Self


class Wire:
    """Carries TCP from a port of its own to *port* on loopback.

    delay_s: every piece waits so long. cut(): nothing gets through, connections are reset.
    hush(): connections stand, and nothing is ever answered.
    """

    def __init__(self, port: int, delay_s: float = 0.0) -> None:
        self._to = port
        self.delay_s = delay_s
        self._whole = threading.Event()
        self._whole.set()
        self._silent = False
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    @property
    def uri(self) -> str:
        return f"mongodb://127.0.0.1:{self.port}/?directConnection=true"

    def cut(self) -> None:
        self._whole.clear()
        for each in list(self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def hush(self) -> None:
        self._silent = True

    def mend(self) -> None:
        self._silent = False
        self._whole.set()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if not self._whole.is_set():
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", self._to))
                self._open |= {near, far}
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(1 << 16):
                if self.delay_s:
                    time.sleep(self.delay_s)
                if not self._silent:
                    sink.sendall(piece)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.close()
        self._open -= {source, sink}
