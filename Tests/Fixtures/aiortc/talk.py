"""A WebRTC phone that is no browser: SIP over WebSocket (RFC 7118) by hand, media by aiortc.

talk.py --server wss://HOST:PORT --certificate FILE --user U --password P --domain D --tone HZ --speak HZ [--dial NUMBER] [--ring SECONDS]

Registers with SHA-256 digest (RFC 7616), calls NUMBER or waits to be called, speaks a tone, tells what it hears, and ends with the
call. Each step is a line of output.
"""

import argparse
import asyncio
import hashlib
import re
import secrets
import ssl

import websockets
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from sound import Sine, hear, report


class Message:
    def __init__(self, text):
        head, _, self.body = text.partition("\r\n\r\n")
        self.start, *lines = head.split("\r\n")
        self.headers = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        self.status = int(self.start.split(" ")[1]) if self.start.startswith("SIP/2.0 ") else 0
        self.method = self.start.split(" ")[0]

    def all(self, name):
        return [value for key, value in self.headers if key == name]

    def first(self, name):
        return next(iter(self.all(name)), "")

    @property
    def branch(self):
        return re.search(r"branch=([^;,\s]+)", self.first("via")).group(1)


def digest(*parts):
    return hashlib.sha256(":".join(parts).encode()).hexdigest()


def with_body(body):
    return (["Content-Type: application/sdp"] if body else []) + [f"Content-Length: {len(body.encode())}", "", body]


class Phone:
    def __init__(self, options):
        self.options = options
        self.host = secrets.token_hex(6) + ".invalid"
        self.contact = f"Contact: <sip:{options.user}@{self.host};transport=ws>"
        self.tag, self.call_id, self.sequence = secrets.token_hex(8), secrets.token_hex(8), 0
        self.waiting, self.ended, self.tasks, self.ringing = {}, asyncio.Event(), set(), None

    # SIP

    async def send(self, method, uri, to, call_id, tag, headers=(), body="", number=None, branch=None):
        if number is None:
            self.sequence += 1
            number = self.sequence
        branch = branch or "z9hG4bK" + secrets.token_hex(8)
        options = self.options
        lines = [
            f"{method} {uri} SIP/2.0", f"Via: SIP/2.0/WSS {self.host};branch={branch};rport", "Max-Forwards: 70",
            f"From: <sip:{options.user}@{options.domain}>;tag={tag}", f"To: {to}", f"Call-ID: {call_id}", f"CSeq: {number} {method}",
            *headers, *with_body(body),
        ]
        await self.socket.send("\r\n".join(lines))
        return branch

    async def request(self, method, uri, to, call_id, tag, headers, body=""):
        branch = "z9hG4bK" + secrets.token_hex(8)
        self.waiting[branch] = asyncio.get_running_loop().create_future()
        await self.send(method, uri, to, call_id, tag, headers, body, branch=branch)
        return await asyncio.wait_for(self.waiting[branch], 20)

    async def authenticated(self, method, uri, to, call_id, tag, headers, body=""):
        answer = await self.request(method, uri, to, call_id, tag, headers, body)
        if answer.status not in (401, 407):
            return answer
        if method == "INVITE":
            await self.acknowledge(uri, answer, call_id, tag)
        asked, answered = ("www-authenticate", "Authorization") if answer.status == 401 else ("proxy-authenticate", "Proxy-Authorization")
        offer = next(value for value in answer.all(asked) if re.search(r"algorithm=SHA-256\b", value, re.I))
        realm, nonce = (re.search(name + '="([^"]*)"', offer).group(1) for name in ("realm", "nonce"))
        user, client = self.options.user, secrets.token_hex(8)
        response = digest(
            digest(user, realm, self.options.password), nonce, "00000001", client, "auth", digest(method, uri))
        credentials = (
            f'{answered}: Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{response}", '
            f'algorithm=SHA-256, qop=auth, nc=00000001, cnonce="{client}"')
        return await self.request(method, uri, to, call_id, tag, [*headers, credentials], body)

    async def acknowledge(self, uri, refusal, call_id, tag):
        number = int(refusal.first("cseq").split()[0])
        await self.send("ACK", uri, refusal.first("to"), call_id, tag, number=number, branch=refusal.branch)

    async def reply(self, message, status, headers=(), body=""):
        to = message.first("to")
        lines = [f"SIP/2.0 {status}"]
        lines += ["Via: " + via for via in message.all("via")]
        lines += ["Record-Route: " + route for route in message.all("record-route")]
        lines += ["From: " + message.first("from"), "To: " + (to if ";tag=" in to else f"{to};tag={self.tag}")]
        lines += ["Call-ID: " + message.first("call-id"), "CSeq: " + message.first("cseq"), *headers, *with_body(body)]
        await self.socket.send("\r\n".join(lines))

    async def read(self):
        async for text in self.socket:
            if not text.strip():
                continue
            message = Message(text if isinstance(text, str) else text.decode())
            if message.status >= 200 and message.branch in self.waiting:
                future = self.waiting[message.branch]
                if not future.done():
                    future.set_result(message)
            elif not message.status:
                self.start(self.answer(message))

    def start(self, work):
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.finished)

    def finished(self, task):
        self.tasks.discard(task)
        if not task.cancelled() and task.exception() and not self.ended.is_set():
            report(f"failed: {task.exception()!r}")
            self.ended.set()

    # Calls

    def connection(self):
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        connection.addTrack(Sine(self.options.speak))
        connection.on("track", lambda track: self.start(self.listen(track)))
        connection.on("connectionstatechange", lambda: report("media " + connection.connectionState))
        return connection

    async def listen(self, track):
        try:
            await hear(track, self.options.tone)
        except Exception:
            # The track ends with the call.
            if not self.ended.is_set() and track.readyState != "ended":
                raise

    async def place(self):
        options, call_id, tag = self.options, secrets.token_hex(8), secrets.token_hex(8)
        self.media = self.connection()
        await self.media.setLocalDescription(await self.media.createOffer())
        uri = f"sip:{options.dial}@{options.domain}"
        answer = await self.authenticated("INVITE", uri, f"<{uri}>", call_id, tag, [self.contact], self.media.localDescription.sdp)
        if answer.status != 200:
            await self.acknowledge(uri, answer, call_id, tag)
            raise RuntimeError("the call was answered " + answer.start)
        target = re.search("<([^>]*)>", answer.first("contact")).group(1)
        routes = [route for value in answer.all("record-route") for route in re.split(r",\s*", value)]
        await self.send(
            "ACK", target, answer.first("to"), call_id, tag, ["Route: " + route for route in reversed(routes)],
            number=int(answer.first("cseq").split()[0]))
        await self.media.setRemoteDescription(RTCSessionDescription(answer.body, "answer"))
        report("answered")

    async def answer(self, message):
        if message.method == "ACK":
            return
        if message.method != "INVITE":
            await self.reply(message, "200 OK")
            if message.method == "CANCEL" and self.ringing:
                await self.reply(self.ringing, "487 Request Terminated")
                self.ringing = None
                report("canceled")
            if message.method == "BYE":
                self.ended.set()
            return
        self.ringing = message
        await self.reply(message, "180 Ringing", [self.contact])
        await asyncio.sleep(self.options.ring)
        if self.ringing is None:
            return
        self.ringing = None
        self.media = self.connection()
        await self.media.setRemoteDescription(RTCSessionDescription(message.body, "offer"))
        await self.media.setLocalDescription(await self.media.createAnswer())
        await self.reply(message, "200 OK", [self.contact], self.media.localDescription.sdp)
        report("answered")

    async def run(self):
        options = self.options
        trust = ssl.create_default_context(cafile=options.certificate)
        trust.check_hostname = False
        self.socket = await websockets.connect(options.server, ssl=trust, subprotocols=["sip"])
        self.start(self.read())
        headers = [self.contact + ";expires=300", "Supported: path, outbound"]
        address = f"<sip:{options.user}@{options.domain}>"
        answer = await self.authenticated("REGISTER", f"sip:{options.domain}", address, self.call_id, self.tag, headers)
        if answer.status != 200:
            raise RuntimeError("the registration was answered " + answer.start)
        report("registered")
        if options.dial:
            await self.place()
        await self.ended.wait()
        await self.media.close()
        report("ended")


parser = argparse.ArgumentParser()
for name in ("server", "certificate", "user", "password", "domain"):
    parser.add_argument("--" + name, required=True)
parser.add_argument("--tone", type=int, required=True)
parser.add_argument("--speak", type=int, required=True)
parser.add_argument("--dial")
parser.add_argument("--ring", type=float, default=0, help="seconds until it answers")
asyncio.run(Phone(parser.parse_args()).run())
