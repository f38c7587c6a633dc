"""The sound of the aiortc phones: the tone they say, and what they hear."""

import asyncio
import fractions
import math
import time

import aioice.ice
import numpy
from aiortc import MediaStreamTrack
from av import AudioFrame

# aioice leaves loopback out, and the suite under test is nowhere else.
aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"] if use_ipv4 else []

RATE = 8000
FRAME = RATE // 50


def report(text):
    print(text, flush=True)


class Sine(MediaStreamTrack):
    kind = "audio"

    def __init__(self, frequency):
        super().__init__()
        self.frequency, self.at, self.start = frequency, 0, None

    async def recv(self):
        self.start = self.start or time.time()
        await asyncio.sleep(max(0, self.start + self.at / RATE - time.time()))
        times = (numpy.arange(FRAME) + self.at) / RATE
        samples = (7300 * numpy.sin(2 * math.pi * self.frequency * times)).astype(numpy.int16)
        frame = AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self.at, fractions.Fraction(1, RATE)
        self.at += FRAME
        return frame


async def hear(track, tone):
    """Reports the tone once it has stood out for three tenths of a second."""
    sound, stood = numpy.zeros(0), 0
    while stood < 3:
        frame = await track.recv()
        samples = frame.to_ndarray().reshape(-1).astype(float)
        channels = len(frame.layout.channels)
        sound = numpy.concatenate([sound, samples[::channels]])
        length = frame.sample_rate // 10
        if len(sound) < length:
            continue
        window, sound = sound[:length], sound[length:]
        times = numpy.arange(length) / frame.sample_rate

        def level(frequency):
            return abs(numpy.sum(window * numpy.exp(-2j * math.pi * frequency * times))) / length

        others = max(level(other) for other in (350, 520, 850, 1300))
        stood = stood + 1 if level(tone) > 100 and level(tone) > 5 * others else 0
    report(f"hears {tone}")
    while True:
        await track.recv()
