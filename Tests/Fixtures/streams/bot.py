"""A media stream's other side, of Debian's websockets: what it does is --does; what happens it prints, one line each."""

import argparse
import asyncio
import base64
import contextlib
import hashlib
import hmac
import http
import json
import math
import socket
import ssl
import struct
import time

import websockets

parser = argparse.ArgumentParser()
parser.add_argument("--does", default="echo", choices=["echo", "tone", "burst", "slow", "drop", "refuse", "garbage", "bye"])
parser.add_argument("--raw", action="store_true")
parser.add_argument("--rate", type=int, default=8000)
parser.add_argument("--linear", action="store_true")
parser.add_argument("--hertz", type=int, default=900)
parser.add_argument("--seconds", type=float, default=10)
parser.add_argument("--certificate")
parser.add_argument("--key")
parser.add_argument("--port", type=int, default=0)
parser.add_argument("--secret")
options = parser.parse_args()
connections = 0


def say(*words):
    print(*words, flush=True)


def ulaw(sample):
    """ITU-T G.711, by its text: bias, segment, step."""
    sign = 0x80 if sample < 0 else 0
    magnitude = min((-sample - 1 if sample < 0 else sample) // 4 + 33, 8191)
    segment = max(0, magnitude.bit_length() - 6)
    return ~(sign | segment << 4 | magnitude >> (segment + 1) & 15) & 0xFF


def tone(seconds):
    samples = [int(6000 * math.sin(2 * math.pi * options.hertz * n / options.rate)) for n in range(int(seconds * options.rate))]
    if options.linear:
        return struct.pack(f"<{len(samples)}h", *samples)
    return bytes(ulaw(sample) for sample in samples)


async def play(socket, sound):
    """As fast as the connection takes it, in pieces of no frame's length."""
    for start in range(0, len(sound), 3001):
        piece = sound[start:start + 3001]
        if options.raw:
            await socket.send(piece)
        else:
            await socket.send(json.dumps({"event": "media", "media": {"payload": base64.b64encode(piece).decode()}}))


async def answer(socket, message):
    # The other side may have said goodbye already: what it said before is still read.
    with contextlib.suppress(websockets.ConnectionClosed):
        await socket.send(message)


async def begin(socket):
    if options.does in ("tone", "burst"):
        await play(socket, tone(options.seconds))
        say("sent")
        await socket.send(json.dumps({"event": "mark", "mark": {"name": "end"}}))
    if options.does == "garbage":
        for text in ["", "[]", "{", '{"event": 5}', '{"event": "media"}', '{"event": "media", "media": {"payload": "*"}}',
                     '{"event": "mark", "mark": {"name": "%s"}}' % ("x" * 300), '{"event": "news"}']:
            await socket.send(text)
        await socket.send(b"\x00\x01\x02")
    if options.does == "bye":
        await socket.close(1000)


async def handle(socket):
    global connections
    connections += 1
    number = connections
    say("connected", number, socket.request_headers.get("Authorization", "-"), socket.request_headers.get("Sec-WebSocket-Protocol", "-"))
    if options.does == "slow":
        await asyncio.sleep(3600)
    if options.raw:
        await begin(socket)
    began = time.monotonic()
    count = 0
    try:
        async for message in socket:
            if isinstance(message, bytes):
                count += 1
                if count == 1:
                    say("frame", len(message))
                if options.does == "echo":
                    await answer(socket, message)
                continue
            event = json.loads(message)
            kind = event["event"]
            if kind == "media":
                count += 1
                if count == 1:
                    say("frame", len(base64.b64decode(event["media"]["payload"])), event["media"]["track"])
                if options.does == "echo" or options.does == "drop" and number > 1:
                    await answer(socket, json.dumps({"event": "media", "streamSid": event["streamSid"], "media": {"payload": event["media"]["payload"]}}))
                if options.does == "drop" and number == 1 and count == 25:
                    socket.transport.abort()
            elif kind == "start":
                start = event["start"]
                say("start", start["mediaFormat"]["encoding"], start["mediaFormat"]["sampleRate"], ",".join(start["tracks"]),
                    json.dumps(start["customParameters"], sort_keys=True))
                await begin(socket)
            elif kind == "dtmf":
                say("dtmf", event["dtmf"]["digit"])
                if options.does == "burst":
                    await socket.send(json.dumps({"event": "clear"}))
            elif kind == "mark":
                say("mark", event["mark"]["name"], int((time.monotonic() - began) * 1000))
            elif kind == "stop":
                say("stop", event["stop"]["reason"])
    except websockets.ConnectionClosed:
        pass
    say("closed", socket.close_code)


def is_ours(headers, secret):
    """As docs/media-streams.md has it."""
    fields = dict(field.split("=", 1) for field in headers["X-Tandem-Signature"].split(","))
    signed = f"{fields['t']}.{headers['X-Tandem-Stream']}".encode()
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, fields["v1"]) and abs(time.time() - int(fields["t"])) < 300


async def refuse(path, headers):
    if options.secret:
        if not is_ours(headers, options.secret):
            say("stranger")
            return (http.HTTPStatus.FORBIDDEN, [], b"")
        say("signed", headers["X-Tandem-Stream"])
    if options.does == "refuse":
        say("refused")
        return (http.HTTPStatus.FORBIDDEN, [], b"")
    return None


async def main():
    listener = socket.socket()
    if options.does == "slow":
        # Its children's windows are as small.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", options.port))
    context = None
    if options.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate, options.key)
    slow = {"max_queue": 1, "read_limit": 1024} if options.does == "slow" else {}
    async with websockets.serve(handle, sock=listener, ssl=context, process_request=refuse, ping_interval=None, **slow):
        say("port", listener.getsockname()[1])
        await asyncio.sleep(3600)


asyncio.run(main())
