"""A small client of OpenAI's API, and `lmpo serve` as a process, for tools that test or measure the server. Standard library alone."""
import asyncio
import dataclasses
import json
import re
import signal
import socket
import subprocess
import threading
import time


class LmpoServer:
    """`lmpo serve` with these flags, on a free port unless `port` is given; ended with the `with`."""

    def __init__(self, binary, *flags, port=0):
        self.process = subprocess.Popen([binary, "serve", *map(str, flags), "--port", str(port)], stderr=subprocess.PIPE, text=True)
        self.log, self.port = [], None
        for line in self.process.stderr:
            self.log.append(line.rstrip())
            if found := re.search(r"listening on http://[^ ]*:(\d+)", line):
                self.port = int(found[1])
                break
        if self.port is None:
            raise RuntimeError("lmpo serve did not start:\n" + "\n".join(self.log))
        threading.Thread(target=lambda: self.log.extend(line.rstrip() for line in self.process.stderr), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self, sent=signal.SIGTERM):
        """Its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(sent)
        return self.process.wait(timeout=120)

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            user, system = file.read().rsplit(")", 1)[1].split()[11:13]
        return (int(user) + int(system)) / 100

    def peak_mb(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            return int(re.search(r"VmHWM:\s+(\d+)", file.read())[1]) / 1024


@dataclasses.dataclass
class Reply:
    status: int
    body: dict = None  # without streaming
    events: list = dataclasses.field(default_factory=list)  # with streaming, without [DONE]
    times: list = dataclasses.field(default_factory=list)  # seconds until each event
    seconds: float = 0
    done: bool = False  # the stream came to its [DONE], or the body to its end


def head_of(path, body, port, key=""):
    lines = [f"{'POST' if body is not None else 'GET'} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: close"]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    if key:
        lines.append(f"Authorization: Bearer {key}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def pieces_of(reader, head, pause):
    """The body as it comes: chunked, of a length, or to the end. A reader that pauses takes few bytes at a time."""
    if b"transfer-encoding: chunked" in head.lower():
        while size := int(await reader.readline() or b"0", 16):
            yield await reader.readexactly(size)
            await reader.readline()
            await asyncio.sleep(pause)
        return
    length = re.search(rb"content-length: *(\d+)", head, re.I)
    left = int(length[1]) if length else 1 << 60
    while left > 0 and (piece := await reader.read(min(left, 64 if pause else 1 << 16))):
        left -= len(piece)
        yield piece
        await asyncio.sleep(pause)
    if length and left:
        raise asyncio.IncompleteReadError(b"", left)


async def read_reply(reader, began, pause=0, leave_after=None):
    head = await reader.readuntil(b"\r\n\r\n")
    reply = Reply(int(head.split(b" ", 2)[1]))
    streams, rest = b"text/event-stream" in head.lower(), b""
    async for piece in pieces_of(reader, head, pause):
        rest += piece
        while streams and b"\n\n" in rest:
            event, rest = rest.split(b"\n\n", 1)
            data = event.removeprefix(b"data: ")
            reply.done |= data == b"[DONE]"
            if event.startswith(b"data: ") and data != b"[DONE]":
                reply.events.append(json.loads(data))
                reply.times.append(time.perf_counter() - began)
            if leave_after is not None and len(reply.events) > leave_after:
                return reply
    if not streams:
        reply.body, reply.done = json.loads(rest) if rest[:1] in b"{[" else rest.decode(errors="replace"), True
    reply.seconds = time.perf_counter() - began
    return reply


async def exchange(port, raw, *, read_pause=0, write_pause=0, leave_after=None):
    """Sends these bytes and reads a reply. With `write_pause` the bytes go in ten parts; with `leave_after` the connection is closed
    after so many events of a stream (-1: right after sending, and there is no reply)."""
    sock = socket.socket()
    if read_pause:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=1024 if read_pause else 1 << 20)
    began = time.perf_counter()
    try:
        part = max(1, len(raw) // 10) if write_pause else len(raw)
        for i in range(0, len(raw), part):
            writer.write(raw[i:i + part])
            await writer.drain()
            await asyncio.sleep(write_pause)
        return None if leave_after == -1 else await read_reply(reader, began, read_pause, leave_after)
    finally:
        writer.close()


async def ask(port, path, fields=None, **how):
    """`fields`: the JSON of a POST; None: a GET."""
    body = None if fields is None else json.dumps(fields).encode()
    return await exchange(port, head_of(path, body, port) + (body or b""), **how)


def text_events(reply):
    """(seconds, text) of the events of a stream that brought text."""
    found = []
    for when, event in zip(reply.times, reply.events):
        for choice in event.get("choices", []):
            if text := choice.get("text") or (choice.get("delta") or {}).get("content"):
                found.append((when, text))
    return found
