"""Tokenizes the same texts with `tokenizers` and with lmpo, both on all cores; prints MB/s and their ratio.

    tools/oracle/setup
    build/oracle/bin/python tools/baselines/tokenizers_batch.py build/release/bin/lmpo DATA [--repeat 8] [--rounds 3]

The vocabulary is Llama 3's, from llama_models, converted to a tokenizer.json by transformers' TikTokenConverter. The texts are those of
DATA, repeated. `tokenizers` has them in memory and encodes them by encode_batch (and its fast variant, which keeps no offsets). lmpo reads
and writes JSON; its start-up time, measured without texts, is subtracted. CPU time is printed too, since other programs on the machine
disturb it less.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "oracle"))
import tokenizers_golden as golden
from tokenizers_real import converted_llama3


def timed(work):
    """What it gives, seconds, and seconds of processors, children's included."""
    before, started = os.times(), time.monotonic()
    result = work()
    seconds, after = time.monotonic() - started, os.times()
    return result, seconds, sum(after[:4]) - sum(before[:4])


def with_lmpo(binary, folder, lines):
    return subprocess.run([binary, "tokenize", "--model", folder], input=lines, check=True, capture_output=True).stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--repeat", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    texts = list(golden.corpus(arguments.data)) * arguments.repeat
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    lines = "".join(json.dumps(text) + "\n" for text in texts).encode()
    tokenizer = converted_llama3()
    print(f"{len(texts)} texts, {megabytes:.1f} MB")
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save(f"{folder}/tokenizer.json")
        for _ in range(arguments.rounds):
            _, start, start_cpu = timed(lambda: with_lmpo(arguments.binary, folder, b""))
            out, seconds, cpu = timed(lambda: with_lmpo(arguments.binary, folder, lines))
            seconds, cpu = seconds - start, cpu - start_cpu
            ids = [json.loads(line)["ids"] for line in out.decode().split("\n") if line]
            print(f"lmpo: {megabytes / seconds:.1f} MB/s ({seconds:.2f} s, {cpu:.2f} s of processors)")
            for name in ["encode_batch", "encode_batch_fast"]:
                found, baseline, baseline_cpu = timed(lambda: getattr(tokenizer, name)(texts))
                same = all(mine == theirs.ids for mine, theirs in zip(ids, found, strict=True))
                print(f"{name}: {megabytes / baseline:.1f} MB/s ({baseline:.2f} s, {baseline_cpu:.2f} s of processors); lmpo is "
                      f"{baseline / seconds:.2f} times as fast, by processors' time {baseline_cpu / cpu:.2f}; "
                      f"{'equal ids' if same else 'OTHER IDS'}", flush=True)
                del found


if __name__ == "__main__":
    main()
