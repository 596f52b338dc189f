"""Weights of answers in fewer bits: what they save and what they cost. Prints the two tables of docs/performance.md.

    tools/baselines/answer_types.py build/release/bin/lmpo MODEL ROWS.json [--rounds 3] [--speed | --quality]

MODEL is a folder of at least 2,100 tokens of context; ROWS.json are preference rows. Speed is of `lmpo generate`, greedy: the best of the
rounds, in which the types take turns; the time of runs with one new token, loading included, is subtracted. Quality is of `lmpo score`,
against float32. Needs nothing but Python.
"""
import argparse
import json
import math
import pathlib
import random
import subprocess
import tempfile
import time

TYPES = [("float32", "float32"), ("bfloat16", "float32"), ("bfloat16", "bfloat16"), ("int8", "float32"), ("int8", "bfloat16")]
WORDS = "the wolf sees a red house near old river and tells long stories of snow to every child that asks for them".split()


def flags(kind):
    return ["--dtype", kind[0], "--compute", kind[1]]


def generate(options, kind, prompts, length, work):
    """(tokens of prompts, tokens of answers, seconds) of a run, loading included."""
    file = work / "prompts.jsonl"
    file.write_text("".join(json.dumps({"prompt": prompt}) + "\n" for prompt in prompts))
    began = time.perf_counter()
    out = subprocess.run([options.lmpo, "generate", "-m", options.model, "--prompts", file, "--chat_template", "false", "--batch_size",
                          str(len(prompts)), "--max_new_tokens", str(length), *flags(kind)], check=True, capture_output=True, text=True)
    lines = [json.loads(line) for line in out.stdout.splitlines()]
    return sum(line["prompt_tokens"] for line in lines), sum(line["output_tokens"] for line in lines), time.perf_counter() - began


def text(words):
    rng = random.Random(words)
    return " ".join(rng.choice(WORDS) for _ in range(words))


def speed(options, work):
    short, long = [text(30)], [text(1990)]
    many = [text(30 + i) for i in range(16)]
    runs = {"short": (short, 1), "one": (short, 128), "many short": (many, 1), "many": (many, 128), "prompt": (long, 1)}
    best = {}
    for _ in range(options.rounds):
        for kind in TYPES:
            for name, (prompts, length) in runs.items():
                run = generate(options, kind, prompts, length, work)
                before = best.get((kind, name), run)
                best[kind, name] = min(before, run, key=lambda r: r[2])
    print("| `--dtype`, `--compute` | 1 answer, tokens/s | 16 answers, tokens/s | prompt of 2,000 tokens, tokens/s |\n|---|---|---|---|")
    for kind in TYPES:
        rates = []
        for name, less, which in (("one", "short", 1), ("many", "many short", 1), ("prompt", "short", 0)):
            more, few = best[kind, name], best[kind, less]
            rates.append(f"{(more[which] - few[which]) / (more[2] - few[2]):.0f}")
        print(f"| {', '.join(kind)} | {' | '.join(rates)} |", flush=True)


def quality(options, work):
    scores = {}
    for kind in TYPES:
        file = work / f"{'_'.join(kind)}.jsonl"
        subprocess.run([options.lmpo, "score", "-m", options.model, "--data", options.rows, "--output", file, *flags(kind)], check=True,
                       capture_output=True)
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        scores[kind] = [line for line in lines if "chosen_logp" in line]  # others are dropped: identical responses
    print("| `--dtype`, `--compute` | mean difference per token | root mean square difference of a response | perplexity of the chosen "
          "responses |\n|---|---|---|---|")
    sides = ("chosen", "rejected")
    tokens = sum(row[f"{side}_tokens"] for row in scores[TYPES[0]] for side in sides)
    for kind in TYPES:
        differences = [row[f"{side}_logp"] - exact[f"{side}_logp"] for row, exact in zip(scores[kind], scores[TYPES[0]]) for side in sides]
        chosen = -sum(row["chosen_logp"] for row in scores[kind]) / sum(row["chosen_tokens"] for row in scores[kind])
        spread = math.sqrt(sum(d * d for d in differences) / len(differences))
        print(f"| {', '.join(kind)} | {sum(differences) / tokens:+.5f} | {spread:.3f} | {math.exp(chosen):.3f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lmpo", type=pathlib.Path)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("rows", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--speed", action="store_true")
    only.add_argument("--quality", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if not options.quality:
            speed(options, pathlib.Path(folder))
        if not options.speed:
            quality(options, pathlib.Path(folder))


main()
