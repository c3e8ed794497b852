"""A web server on this machine that can break off, and closes with its test."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote


class LocalServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {}  # path -> bytes
        self.paths = []  # what was asked for, one an answer
        self.status = {}  # path -> status to answer with, once for each in the list
        self.breaks = []  # after how many bytes the next answers break off

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server, path = self.server, unquote(self.path.partition("?")[0])
        server.paths.append(path)
        content = server.files.get(path)
        if server.status.get(path):
            return self.send_error(server.status[path].pop())
        if content is None:
            return self.send_error(404)
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: server.breaks.pop(0) if server.breaks else None])

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
