"""A recognition service for tests: takes each utterance as a WAV file and answers with what it measured of it."""
import http.server
import io
import json
import urllib.parse
import wave


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/broken":
            return self.answer(500, b"{}")
        with wave.open(io.BytesIO(body)) as sound:
            seconds = sound.getnframes() / sound.getframerate()
            text = f"{sound.getframerate()} Hz {sound.getnchannels()} channel {sound.getsampwidth() * 8} bit {seconds:.2f} s"
        hints = [urllib.parse.unquote(hint) for hint in self.headers.get("x-tandem-hints", "").split(",") if hint]
        text += f" {self.headers['x-tandem-language']} {'+'.join(hints)} signed={'x-tandem-signature' in self.headers}"
        self.answer(200, json.dumps({"text": text, "confidence": 0.75}).encode())

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(f"port {server.server_port}.", flush=True)
server.serve_forever()
