"""A customer's application for tests: answers the requests of flows, checks their signature, and tells what it has seen."""
import base64
import collections
import hashlib
import hmac
import http.server
import json
import sys
import threading
import time

secret = base64.b64decode(sys.argv[1].removeprefix("whsec_"))
seen = collections.Counter()
# The ids of the requests for each path: an attempt that is made again has the id of the first.
ids = collections.defaultdict(set)
lock = threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    def is_signed(self, body):
        signed = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + body
        code = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
        fresh = abs(time.time() - int(self.headers["webhook-timestamp"])) < 60
        return fresh and hmac.compare_digest(self.headers["webhook-signature"], "v1," + code)

    def handle_request(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == "/seen":
            with lock:
                return self.answer(200, dict(seen) | {f"{path}#ids": len(known) for path, known in ids.items()})
        with lock:
            seen[self.path] += 1
            ids[self.path].add(self.headers["webhook-id"])
            seen["unsigned"] += not self.is_signed(body)
            count = seen[self.path]
        if self.path.startswith("/slow"):
            time.sleep(2.5)
        if self.path.startswith("/flaky") and count == 1:
            return self.answer(503, {})
        if self.path.startswith("/moved"):
            return self.answer(302, {}, location="/order")
        if self.path.startswith("/actions"):
            asked = json.loads(body)
            known = asked["activeflow_id"].startswith("run_") and asked["reference_id"].startswith("call_")
            return self.answer(200, [{"id": "told", "type": "echo", "option": {"duration": 1500}}] if known else [])
        self.answer(200, {"items": [{"name": "tea", "price": 2.5}], "count": count})

    do_GET = do_POST = do_PUT = do_DELETE = handle_request

    def answer(self, status, document, location=None):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        if location:
            self.send_header("location", location)
        self.end_headers()
        try:
            self.wfile.write(body)
        except BrokenPipeError:
            pass

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(f"port {server.server_port}.", flush=True)
server.serve_forever()
