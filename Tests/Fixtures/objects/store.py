"""A store that speaks S3 as far as recordings need it, made from Amazon's description of Signature Version 4 and of multipart uploads:
objects in memory, nothing unsigned, no part but the last below the least size. What it does it prints, one line each."""

import argparse
import hashlib
import hmac
import http.server
import re
import urllib.parse

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, required=True)
parser.add_argument("--bucket", required=True)
parser.add_argument("--region", required=True)
parser.add_argument("--key", required=True)
parser.add_argument("--secret", required=True)
parser.add_argument("--least", type=int, default=65536)
options = parser.parse_args()
objects, uploads = {}, {}


def say(*words):
    print(*words, flush=True)


def signature(request, body):
    """What the request's signature has to be, of the fields that it says are signed."""
    given = dict(part.strip().split("=", 1) for part in request.headers["Authorization"].removeprefix("AWS4-HMAC-SHA256 ").split(","))
    key, *scope = given["Credential"].split("/")
    date, stamp = scope[0], request.headers["x-amz-date"]
    payload = hashlib.sha256(body).hexdigest()
    signed = given["SignedHeaders"].split(";")
    if key != options.key or scope[1:] != [options.region, "s3", "aws4_request"] or not stamp.startswith(date):
        return None, given["Signature"]
    if request.headers["x-amz-content-sha256"] != payload or not {"host", "x-amz-date", "x-amz-content-sha256"} <= set(signed):
        return None, given["Signature"]
    path, _, query = request.path.partition("?")
    pairs = sorted(pair if "=" in pair else pair + "=" for pair in query.split("&") if pair)
    fields = "".join(f"{name}:{' '.join(request.headers[name].split())}\n" for name in signed)
    canonical = "\n".join([request.command, path, "&".join(pairs), fields, ";".join(signed), payload])
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, "/".join(scope), hashlib.sha256(canonical.encode()).hexdigest()])
    secret = ("AWS4" + options.secret).encode()
    for word in scope:
        secret = hmac.new(secret, word.encode(), hashlib.sha256).digest()
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest(), given["Signature"]


class Store(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in fields:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, status, code):
        say("refused", self.command, code)
        self.answer(status, f"<Error><Code>{code}</Code></Error>".encode())

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            expected, given = signature(self, body)
        except (KeyError, ValueError, AttributeError):
            return self.refuse(403, "AccessDenied")
        if expected is None or not hmac.compare_digest(expected, given):
            return self.refuse(403, "SignatureDoesNotMatch")
        path, _, query = self.path.partition("?")
        words = urllib.parse.unquote(path).split("/", 2)
        query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        if len(words) != 3 or words[1] != options.bucket:
            return self.refuse(404, "NoSuchBucket")
        getattr(self, "serve_" + self.command)(words[2], query, body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = serve

    def serve_PUT(self, key, query, body):
        if "uploadId" not in query:
            objects[key] = body
            say("put", key, len(body))
            return self.answer(200)
        parts = uploads.get(query["uploadId"])
        if parts is None:
            return self.refuse(404, "NoSuchUpload")
        parts[int(query["partNumber"])] = body
        self.answer(200, ETag=f'"{hashlib.md5(body).hexdigest()}"')

    def serve_POST(self, key, query, body):
        if "uploads" in query:
            upload = f"upload/{len(uploads)}&"
            uploads[upload] = {}
            text = upload.replace("&", "&amp;")
            return self.answer(200, f"<InitiateMultipartUploadResult><UploadId>{text}</UploadId></InitiateMultipartUploadResult>".encode())
        parts = uploads.pop(query["uploadId"], None)
        if parts is None:
            return self.refuse(404, "NoSuchUpload")
        listed = re.findall(r"<PartNumber>(\d+)</PartNumber>\s*<ETag>(?:&quot;|\")([0-9a-f]+)(?:&quot;|\")</ETag>", body.decode())
        pieces = [parts.get(int(number), b"") for number, _ in listed]
        if not listed or any(hashlib.md5(piece).hexdigest() != tag for piece, (_, tag) in zip(pieces, listed)):
            return self.refuse(400, "InvalidPart")
        if any(len(piece) < options.least for piece in pieces[:-1]):
            return self.refuse(400, "EntityTooSmall")
        objects[key] = b"".join(pieces)
        say("joined", key, len(pieces), len(objects[key]))
        self.answer(200, b"<CompleteMultipartUploadResult></CompleteMultipartUploadResult>")

    def serve_HEAD(self, key, query, body):
        if key not in objects:
            return self.answer(404)
        self.answer(200, Content_Length=str(len(objects[key])))

    def serve_GET(self, key, query, body):
        if key not in objects:
            return self.refuse(404, "NoSuchKey")
        sound = objects[key]
        span = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range") or "")
        if not span:
            return self.answer(200, sound)
        begin, end = int(span[1]), min(int(span[2]) + 1, len(sound))
        if begin >= end:
            return self.refuse(416, "InvalidRange")
        self.answer(206, sound[begin:end], Content_Range=f"bytes {begin}-{end - 1}/{len(sound)}")

    def serve_DELETE(self, key, query, body):
        if "uploadId" in query:
            uploads.pop(query["uploadId"], None)
        else:
            say("deleted", key, objects.pop(key, None) is not None)
        self.answer(204)


server = http.server.ThreadingHTTPServer(("127.0.0.1", options.port), Store)
server.daemon_threads = True
say("ready")
server.serve_forever()
