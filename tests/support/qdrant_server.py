"""A stand-in for a Qdrant server: the part of its REST API that we use, on Qdrant Edge, in its own process.

    python -m tests.support.qdrant_server --port 0 --folder DIR [--api-key KEY]

prints its address. Every request is checked against Qdrant's own description. `POST /_faults` with
{"delay_s": 0.0, "status": 0, "drop": false} makes all later requests slow, fail, or lose their connection;
`GET /_layouts` returns the bodies that made the collections.
"""

from __future__ import annotations

import argparse
import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.support.qdrant_schema import BadRequestError, check, match
from tests.support.qdrant_shards import ConflictError, NotFoundError, Shards

ACTIONS = {
    ("GET", "/collections"): Shards.get_collections,
    ("GET", "/aliases"): Shards.get_aliases,
    ("POST", "/collections/aliases"): Shards.change_aliases,
    ("GET", "/collections/{collection_name}"): Shards.info,
    ("PUT", "/collections/{collection_name}"): Shards.create,
    ("DELETE", "/collections/{collection_name}"): Shards.drop,
    ("GET", "/collections/{collection_name}/exists"): Shards.exists,
    ("PUT", "/collections/{collection_name}/index"): Shards.create_field_index,
    ("PUT", "/collections/{collection_name}/points"): Shards.upsert,
    ("POST", "/collections/{collection_name}/points"): Shards.retrieve,
    ("POST", "/collections/{collection_name}/points/delete"): Shards.delete,
    ("POST", "/collections/{collection_name}/points/query"): Shards.query,
    ("POST", "/collections/{collection_name}/points/scroll"): Shards.scroll,
    ("POST", "/collections/{collection_name}/points/count"): Shards.count,
    ("POST", "/collections/{collection_name}/facet"): Shards.facet,
}
STATUSES = {BadRequestError: 400, NotFoundError: 404, ConflictError: 409}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    shards: Shards
    api_key: str
    faults: dict[str, Any] = {}

    def handle_any(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        if self.path == "/_faults":
            Handler.faults = body
            self._answer(200, True)
        elif self.path == "/_layouts":
            self._answer(200, self.shards.layouts)
        elif self.path == "/readyz":  # which asks for no key
            self._answer(200, "all shards are ready")
        elif not self._suffer():
            self._serve(body)

    do_GET = do_PUT = do_POST = do_DELETE = handle_any

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not worth a line each."""

    def _suffer(self) -> bool:
        """Applies the faults, and tells whether one of them was the answer."""
        time.sleep(self.faults.get("delay_s", 0))
        if self.faults.get("drop"):
            self.close_connection = True
            return True
        if status := self.faults.get("status"):
            self._answer(status, None, "fault on request")
            return True
        return False

    def _serve(self, body: Any) -> None:
        if self.headers.get("api-key", "") != self.api_key:
            self._answer(401, None, "Must provide an API key or an Authorization bearer token")
            return
        url = urlsplit(self.path)
        try:
            template, collection = match(self.command, url.path)
            check(self.command, template, url.query, body)
            self._answer(200, ACTIONS[self.command, template](self.shards, collection, body))
        except Exception as error:
            # Qdrant Edge raises plain Exception, for a bad request as for a failure of its own.
            status = STATUSES.get(type(error), 500 if "Service" in str(error) else 400)
            self._answer(status, None, str(error))

    def _answer(self, status: int, result: Any, error: str = "") -> None:
        answer = {"result": result, "status": {"error": error} if error else "ok", "time": 0.0}
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--api-key", default="")
    options = parser.parse_args()
    Handler.shards = Shards(options.folder)
    Handler.api_key = options.api_key
    server = ThreadingHTTPServer(("127.0.0.1", options.port), Handler)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)  # noqa: T201
    server.serve_forever()


if __name__ == "__main__":
    main()
