"""A recognition service over a WebSocket for tests (docs/hearing.md): tells what it was asked for and how much it has heard."""
import asyncio
import json

import websockets


async def serve(socket):
    path = socket.path if hasattr(socket, "path") else socket.request.path
    start = json.loads(await socket.recv())
    if path == "/refuse":
        return await socket.send(json.dumps({"type": "error", "code": "language", "detail": "not today"}))
    heard = loud = told = 0
    summary = f"{start['type']} {start['encoding']} {start['rate']} {start['language']} {'+'.join(start['hints'])} interim={start['interim']}"
    async for message in socket:
        if isinstance(message, str):
            end = json.loads(message)
            await socket.send(json.dumps({
                "type": "final", "text": f"{summary} {end['type']} loud={loud > 4000}", "confidence": 0.5, "start": 0, "end": heard // 8}))
            return
        for index in range(0, len(message), 2):
            loud += abs(int.from_bytes(message[index:index + 2], "little", signed=True)) > 1000
        heard += len(message) // 2
        if loud > 4000 and not told:
            told = 1
            await socket.send(json.dumps({"type": "partial", "text": "something", "start": 0, "end": heard // 8}))


async def main():
    async with websockets.serve(serve, "127.0.0.1", 0) as server:
        print(f"port {server.sockets[0].getsockname()[1]}.", flush=True)
        await asyncio.Future()


asyncio.run(main())
