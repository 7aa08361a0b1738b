"""A small program with the habits of our services: listens, answers /health/ready, has a child, ends on SIGTERM."""

from __future__ import annotations

import http.server
import os
import signal
import subprocess
import sys


class Health(http.server.BaseHTTPRequestHandler):
    """Answers with the pid of the child."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health/ready" else 404)
        self.end_headers()
        self.wfile.write(str(child.pid).encode())

    def log_message(self, *_: object) -> None:
        return


if os.environ.get("END_AT_ONCE"):
    sys.exit("there is no database")
child = subprocess.Popen(["sleep", "1000"])
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["HTTP_PORT"])), Health).serve_forever()
