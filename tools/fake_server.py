"""A server that speaks the part of OpenAI's API that the page of `lmpo serve` and `lmpo eval`'s judges use, and fails on demand.

    python3 tools/fake_server.py [PORT]      # a judge whose verdicts mean nothing, at http://127.0.0.1:PORT/v1

A request that does not stream comes from a judge: it is answered with m or M and their log-probabilities where it asks for these, else with
a label of Arena-Hard; which one depends on the request's messages alone.

Otherwise the answer depends on the last message: "fail STATUS TEXT" answers with that status, "break" ends the connection in the middle, "long"
streams for a minute, "nothing" is an empty answer, "cut" ends at the limit of tokens, "show TEXT" is TEXT; anything else is echoed.
"""
import http.server
import json
import math
import sys
import threading
import time
import zlib

MODELS = ["zephyr-lmpo-beta-2", "zephyr-sft"]
LABELS = ["A>>B", "A>B", "A=B", "B>A", "B>>A"]


def verdict(body):
    """The reply to a judge's request."""
    number = zlib.crc32(json.dumps(body["messages"]).encode())
    choice = {"index": 0, "finish_reason": "stop", "logprobs": None}
    text = f"My final verdict is: [[{LABELS[number % len(LABELS)]}]]"
    if body.get("logprobs"):
        chance = (1 + number % 98) / 99
        text = "m" if chance > 0.5 else "M"
        top = [{"token": token, "logprob": math.log(p), "bytes": None} for token, p in (("m", 0.9 * chance), ("M", 0.9 * (1 - chance)), ("The", 0.1))]
        choice["logprobs"] = {"content": [{**top[0 if text == "m" else 1], "top_logprobs": top}], "refusal": None}
    choice["message"] = {"role": "assistant", "content": text}
    usage = {"prompt_tokens": 100, "completion_tokens": 1, "total_tokens": 101}
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": body["model"], "choices": [choice], "usage": usage}


class Handler(http.server.BaseHTTPRequestHandler):
    # HTTP/1.0: no connection outlives its answer, so a server that stops is gone.

    def log_message(self, *arguments):
        pass

    def answer(self, status, body, kind="application/json"):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status, message):
        self.answer(status, {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}})

    def handle_one_request(self):
        """A browser opens connections ahead of time: those are gone with the server, too."""
        self.raw_requestline = self.rfile.readline(65537)
        if self.raw_requestline and not self.server.gone and self.parse_request():
            getattr(self, "do_" + self.command)()
        else:
            self.close_connection = True

    def allowed(self):
        key = self.server.key
        if key and self.headers.get("Authorization") != f"Bearer {key}":
            self.refuse(401, "Incorrect API key provided.")
            return False
        return True

    def do_GET(self):
        if self.path == "/":
            self.answer(200, self.server.page, "text/html; charset=utf-8")
        elif self.path == "/v1/models" and self.allowed():
            self.answer(200, {"object": "list", "data": [{"id": name, "object": "model"} for name in MODELS]})
        elif self.path != "/v1/models":
            self.refuse(404, "Not found.")

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.allowed():
            return
        self.server.requests.append(body)
        asked = body["messages"][-1]["content"]
        if asked.startswith("fail "):
            _, status, text = asked.split(" ", 2)
            self.refuse(int(status), text)
        elif not body.get("stream"):
            self.answer(200, verdict(body))
        else:
            self.stream(asked, body)

    def stream(self, asked, body):
        text = {"nothing": "", "long": "on and on " * 600, "break": "this never"}.get(asked, asked.removeprefix("show "))
        pieces = [text[i:i + 5] for i in range(0, len(text), 5)]
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        try:
            self.event({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]})
            for piece in pieces:
                self.event({"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]})
                time.sleep(0.05 if asked == "long" else 0.004)
            if asked != "break":
                end = "length" if asked == "cut" else "stop"
                self.event({"choices": [{"index": 0, "delta": {}, "finish_reason": end}]})
                self.event({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": len(pieces), "total_tokens": 9 + len(pieces)}})
                self.wfile.write(b"data: [DONE]\n\n")
        except (BrokenPipeError, ConnectionResetError):
            self.server.left += 1

    def event(self, fields):
        data = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", **fields}
        self.wfile.write(f"data: {json.dumps(data)}\n\n".encode())
        self.wfile.flush()


class FakeServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, page, port=0):
        super().__init__(("127.0.0.1", port), Handler)
        self.page, self.key, self.requests, self.left, self.gone = page, "", [], 0, False
        self.url = f"http://127.0.0.1:{self.server_port}/"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def stop(self):
        self.gone = True
        self.shutdown()
        self.server_close()


if __name__ == "__main__":
    server = FakeServer("", int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    print(server.url + "v1", flush=True)
    threading.Event().wait()
