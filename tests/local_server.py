"""A web server on this machine that can break off, and closes with its test."""

import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote


class LocalServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {}  # path -> bytes
        self.asked = []  # (path, first byte asked for), one an answer
        self.status = {}  # path -> status to answer with, once for each in the list
        self.breaks = []  # after how many bytes the next answers break off
        self.knows_ranges = True

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def paths(self):
        return [path for path, _ in self.asked]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server, path = self.server, unquote(self.path.partition("?")[0])
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(match[1]) if match and server.knows_ranges else 0
        server.asked.append((path, start))
        content = server.files.get(path)
        if server.status.get(path):
            return self.send_error(server.status[path].pop())
        if content is None:
            return self.send_error(404)
        if start >= len(content) > 0:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        end = start + server.breaks.pop(0) if server.breaks else None
        self.wfile.write(content[start:end])

    def log_message(self, *_):
        pass


@contextmanager
def serve():
    with LocalServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
