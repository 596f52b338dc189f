"""The table of `lmpo serve` against llama.cpp's server (Python package xllamacpp), with the same weights on the same machine.

    build/oracle/bin/python tools/baselines/llamacpp_serve.py build/release/bin/lmpo MODEL MODEL_8BIT_FLAGS... [--only NAME] [--threads 2]

MODEL is a folder with bfloat16 weights of at least 3,000 tokens of context. `lmpo export` writes them as GGUF for llama.cpp, bf16 and
q8_0. MODEL_8BIT_FLAGS make `lmpo serve` hold the weights in 8 bits. Each line is measured once warm, over HTTP, greedily, and no
answer ends early: the end tokens are forbidden by logit_bias.

  one_bf16, one_q8    tokens/s of one stream of 128 tokens, after its first token
  streams_16          tokens/s of 16 streams of 64 tokens at the same time, prompts of 40 tokens included
  prefill             tokens/s of a prompt of 2,000 tokens nobody asked before, until the first token of its answer
  shared              seconds for 200 requests (8 at a time, 8 tokens each) whose prompts begin with the same 800 tokens, as a share of
                      those for 200 whose first 800 tokens differ; lmpo alone
  first_token         seconds to the first token beside 15 that decode, against twice those of an idle server plus one step; lmpo alone
  overhead            processor time of 64 streams over HTTP beyond that of `lmpo generate` for as many tokens, as a share; lmpo alone
"""
import argparse
import asyncio
import json
import pathlib
import random
import resource
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from api_client import LmpoServer, ask, text_events

CONTEXT, PLACES = 4096, 64  # tokens of a sequence; sequences at the same time


class LlamaCpp:
    """llama.cpp's server in a process of its own."""

    def __init__(self, file, sequences, threads):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = [sys.executable, __file__, "--hold", file, str(self.port), str(sequences), str(threads)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout.readline(), "llama.cpp did not start"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def hold(file, port, sequences, threads):
    import xllamacpp
    params = xllamacpp.CommonParams()
    params.model.path, params.port, params.n_parallel = file, int(port), int(sequences)
    params.n_ctx = CONTEXT * int(sequences) if int(sequences) <= 2 else 512 * int(sequences)
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = int(threads)
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    while True:
        time.sleep(60)


class Bench:
    def __init__(self, options, work):
        self.options, self.work, self.rng = options, work, random.Random(1)
        config = json.loads((options.model / "config.json").read_text())
        ends = config.get("eos_token_id") if not (options.model / "generation_config.json").exists() else json.loads(
            (options.model / "generation_config.json").read_text()).get("eos_token_id", config.get("eos_token_id"))
        self.fields = dict(temperature=0, stream=True, logit_bias={str(token): -100 for token in (ends if isinstance(ends, list) else [ends])})
        self.vocabulary = config["vocab_size"]

    def gguf(self, kind):
        file = self.work / f"{kind}.gguf"
        if not file.exists():
            subprocess.run([self.options.lmpo, "export", self.options.model, "--format", "gguf", "--type", kind, "-o", file], check=True,
                           stderr=subprocess.DEVNULL)
        return file

    def lmpo(self, sequences=PLACES, flags=()):
        return LmpoServer(self.options.lmpo, "-m", self.options.model, "--threads", self.options.threads, "--batch_size", sequences,
                          "--max_requests", 1000, *flags)

    def llamacpp(self, kind, sequences):
        return LlamaCpp(self.gguf(kind), sequences, self.options.threads)

    def tokens(self, count):
        return [self.rng.randrange(1000, self.vocabulary) for _ in range(count)]

    async def stream(self, server, prompt, length):
        reply = await ask(server.port, "/v1/completions", self.fields | dict(prompt=prompt, max_tokens=length))
        assert reply.status == 200 and reply.done, reply
        return [when for when, _ in text_events(reply)]

    async def one(self, server):
        await self.stream(server, self.tokens(16), 16)
        times = await self.stream(server, self.tokens(40), 128)
        return 127 / (times[-1] - times[0])

    async def streams(self, server):
        await self.stream(server, self.tokens(16), 16)
        began = time.perf_counter()
        await asyncio.gather(*(self.stream(server, self.tokens(40), 64) for _ in range(16)))
        return 16 * 64 / (time.perf_counter() - began)

    async def prefill(self, server):
        await self.stream(server, self.tokens(100), 4)
        return 2000 / (await self.stream(server, self.tokens(2000), 2))[0]

    async def many(self, server, prompts):
        began, left = time.perf_counter(), list(prompts)

        async def client():
            while left:
                await self.stream(server, left.pop(), 8)
        await asyncio.gather(*(client() for _ in range(8)))
        return time.perf_counter() - began

    async def shared(self, server):
        await self.stream(server, self.tokens(100), 4)
        apart = await self.many(server, [self.tokens(820) for _ in range(200)])
        begin = self.tokens(800)
        return await self.many(server, [begin + self.tokens(20) for _ in range(200)]) / apart

    async def first_token(self, server):
        await self.stream(server, self.tokens(100), 4)
        idle = min([(await self.stream(server, self.tokens(40), 2))[0] for _ in range(5)])
        others = [asyncio.create_task(self.stream(server, self.tokens(40), 300)) for _ in range(15)]
        await asyncio.sleep(1)
        beside = sorted([(await self.stream(server, self.tokens(40), 2))[0] for _ in range(5)])[2]
        times = [await other for other in others]
        step = (times[0][-1] - times[0][0]) / (len(times[0]) - 1)
        print(f"  idle {1000 * idle:.1f} ms, beside fifteen {1000 * beside:.1f} ms, a step {1000 * step:.1f} ms")
        return beside / (2 * idle + step)

    def generate_seconds(self, texts, length):
        """Processor time of `lmpo generate`, loading included."""
        file = self.work / "prompts.jsonl"
        file.write_text("".join(json.dumps({"prompt": text}) + "\n" for text in texts))
        command = [self.options.lmpo, "generate", "-m", self.options.model, "--prompts", file, "--batch_size", 64, "--chat_template", "false",
                   "--max_new_tokens", length, "--threads", self.options.threads]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*map(str, command)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    async def overhead(self, server):
        """The same prompts and greedy answers, from which the time to load is taken."""
        await self.stream(server, self.tokens(16), 16)
        texts = [" ".join(self.rng.choice("the wolf sees a red house near old river".split()) for _ in range(40)) for _ in range(64)]
        fields = dict(temperature=0, stream=True, max_tokens=128)
        before = server.cpu_seconds()
        await asyncio.gather(*(ask(server.port, "/v1/completions", fields | dict(prompt=text)) for text in texts))
        served = server.cpu_seconds() - before
        loading, all_of_it = self.generate_seconds(["a"], 1), self.generate_seconds(texts, 128)
        print(f"  served {served:.2f} s, generated {all_of_it:.2f} s, of which {loading:.2f} s to load")
        return served / (all_of_it - loading) - 1

    def against(self, measure, kind="bf16", flags=(), sequences=16):
        rates = []
        for server in (self.lmpo(flags=flags), self.llamacpp(kind, sequences)):
            with server:
                rates.append(asyncio.run(measure(server)))
        return f"lmpo {rates[0]:.1f} tokens/s, llama.cpp {rates[1]:.1f}: {rates[0] / rates[1]:.2f}x"

    def alone(self, measure):
        with self.lmpo() as server:
            return f"{asyncio.run(measure(server)):.3f}"


# Name -> (what it does, target).
LINES = {
    "one_bf16": (lambda bench: bench.against(bench.one, sequences=1), ">= 1x"),
    "one_q8": (lambda bench: bench.against(bench.one, "q8_0", bench.options.flags, 1), ">= 0.9x"),
    "streams_16": (lambda bench: bench.against(bench.streams), ">= 1.5x"),
    "prefill": (lambda bench: bench.against(bench.prefill, sequences=1), ">= 1.2x"),
    "shared": (lambda bench: bench.alone(bench.shared), "<= 0.25"),
    "first_token": (lambda bench: bench.alone(bench.first_token), "<= 1"),
    "overhead": (lambda bench: bench.alone(bench.overhead), "<= 0.03"),
}


def main():
    if sys.argv[1:2] == ["--hold"]:
        return hold(*sys.argv[2:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lmpo", type=pathlib.Path)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--only", nargs="*", default=list(LINES))
    parser.add_argument("--threads", type=int, default=2)
    options, options.flags = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as work:
        bench = Bench(options, pathlib.Path(work))
        for name in options.only:
            measure, target = LINES[name]
            print(f"{name}: {measure(bench)} (target {target})", flush=True)


main()
