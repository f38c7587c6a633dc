"""WebRTC without signalling: descriptions are files of the working directory.

peer.py --tone HZ --speak HZ [--offers]

Answers `offer.sdp` with `answer.sdp`, or the other way round with --offers; speaks a tone, tells what it hears, and goes on until it
is stopped.
"""

import argparse
import asyncio
import os

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from sound import Sine, hear, report


def write(name, text):
    with open(name + ".part", "w", newline="") as file:
        file.write(text)
    os.rename(name + ".part", name)


async def read(name):
    while not os.path.exists(name):
        await asyncio.sleep(0.02)
    with open(name, newline="") as file:
        return file.read()


async def run(options):
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    connection.addTrack(Sine(options.speak))
    ears = []
    connection.on("track", lambda track: ears.append(asyncio.ensure_future(hear(track, options.tone))))
    connection.on("connectionstatechange", lambda: report("media " + connection.connectionState))
    if options.offers:
        await connection.setLocalDescription(await connection.createOffer())
        write("offer.sdp", connection.localDescription.sdp)
        await connection.setRemoteDescription(RTCSessionDescription(await read("answer.sdp"), "answer"))
    else:
        await connection.setRemoteDescription(RTCSessionDescription(await read("offer.sdp"), "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        write("answer.sdp", connection.localDescription.sdp)
    report("described")
    await asyncio.sleep(60)


parser = argparse.ArgumentParser()
parser.add_argument("--tone", type=int, required=True)
parser.add_argument("--speak", type=int, required=True)
parser.add_argument("--offers", action="store_true")
asyncio.run(run(parser.parse_args()))
