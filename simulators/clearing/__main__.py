"""`python -m simulators.clearing --bank URL --secret KEY`: the house on a socket, until it is ended."""

from __future__ import annotations

import argparse
import json
import threading
import time
import urllib.error
import urllib.request
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from .house import House
from .messages import Schemas

SCHEMAS = Path(__file__).parents[2] / "src" / "eastflow" / "channels" / "iso20022" / "schemas"
PAUSE_SECONDS = 0.2


class Handler(BaseHTTPRequestHandler):
    house: House
    delay_milliseconds = 0

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length", "0")))
        if self.path == "/messages":
            status, answer = self.house.take(raw)
            time.sleep(self.delay_milliseconds / 1000)
            self._answer(status, answer, "application/xml")
        elif self.path == "/control/pay":
            self._answer(200, json.dumps({"uetr": self.house.pay(json.loads(raw))}).encode())
        elif self.path == "/control/collect":
            self._answer(200, json.dumps({"uetr": self.house.collect(json.loads(raw))}).encode())
        elif self.path == "/control/recall":
            self.house.recall(json.loads(raw))
            self._answer(200, b"{}")
        elif self.path == "/control/verify":
            self._answer(200, json.dumps({"id": self.house.verify(json.loads(raw))}).encode())
        else:
            self._answer(404, b"")

    def do_GET(self) -> None:
        self._answer(200, json.dumps(self.house.state()).encode())

    def _answer(self, status: int, content: bytes, media_type: str = "application/json") -> None:
        with suppress(ConnectionError):  # Whoever asked may be gone by now.
            self.send_response(status)
            self.send_header("content-type", media_type)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        """Quiet: the state says what came."""


def send(house: House, bank: str, secret: str) -> None:
    """One message after the other, each until the bank has answered: it may be down for a while."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    headers = {"authorization": f"Bearer {secret}", "content-type": "application/xml"}
    while True:
        content = house.outbox.get()
        while True:
            request = urllib.request.Request(f"{bank}/v1/iso20022/messages", content, headers)
            try:
                with opener.open(request, timeout=10) as response:
                    house.answered(response.read())
                break
            except urllib.error.HTTPError as refused:
                if refused.code in (400, 413):
                    print(f"the bank cannot read a message: {refused.read().decode()}", flush=True)
                    break
            except OSError:
                pass
            time.sleep(PAUSE_SECONDS)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m simulators.clearing", description=__doc__)
    parser.add_argument("--bank", required=True, help="where the bank answers, such as http://127.0.0.1:8080")
    parser.add_argument("--secret", required=True, help="the API key named `clearing`")
    parser.add_argument("--port", type=int, default=8099, help="0 for any that is free")
    parser.add_argument("--schemas", type=Path, default=SCHEMAS, help="the folder of the schemas' files")
    parser.add_argument("--delay", type=int, default=0, help="milliseconds between taking a message and answering it")
    told = parser.parse_args()
    Handler.delay_milliseconds = told.delay
    house = Handler.house = House(Schemas(told.schemas))
    server = ThreadingHTTPServer(("127.0.0.1", told.port), Handler)
    threading.Thread(target=send, args=(house, told.bank, told.secret), daemon=True).start()
    print(f"the clearing answers on http://127.0.0.1:{server.server_port}/messages", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
