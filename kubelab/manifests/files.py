"""Tells which files below a folder hold the Pod's uid as a line: `files.py FOLDER PORT...`.

Every request is answered with a checksum of each of them, by its path, as JSON.
"""

import json
import os
import sys
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

# An answer that is read by the prober has 4 KiB at most, and a menu is short.
FILES, LARGEST = 20, 1 << 16
FOLDER, *PORTS = sys.argv[1:]
UID = os.environ["POD_UID"].encode()


def paths() -> list[str]:
    """The files, the newest first, without named pipes, which would be waited for."""
    found = [os.path.join(folder, name) for folder, _, names in os.walk(FOLDER) for name in names]
    return sorted(filter(os.path.isfile, found), key=os.path.getmtime, reverse=True)


def holding() -> dict[str, int]:
    """The newest files with the uid."""
    found: dict[str, int] = {}
    for path in paths():
        try:
            with open(path, "rb") as file:
                content = file.read(LARGEST)
        except OSError:  # It has gone meanwhile.
            continue
        if UID in map(bytes.strip, content.splitlines()) and len(found) < FILES:
            found[path[-100:]] = zlib.crc32(content)
    return found


class Files(BaseHTTPRequestHandler):
    """Every request gets all of it."""

    def do_GET(self) -> None:
        """Answer."""
        body = json.dumps(holding()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


for port in PORTS:
    Thread(target=ThreadingHTTPServer(("", int(port)), Files).serve_forever).start()
