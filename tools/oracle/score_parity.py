"""`lmpo score` beside transformers' float32 forward on 300 real pairs, for a Llama and a Mistral with a short window.

    build/oracle/bin/python tools/oracle/score_parity.py build/release/bin/lmpo DATA

For each response the summed log-probability may differ by 1e-4 or 1e-6 a token, whichever is larger.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile

import torch

import tokenize_pairs
import worlds

MAX_LENGTH = 1024


def compare(binary, data, family, boundary, model, tokenizer, folder):
    scores = folder / f"scores_{boundary}.jsonl"
    subprocess.run([binary, "score", "--model", folder, "--data", data / "dpo_en_demo.json", "--boundary", boundary,
                    "--max_length", str(MAX_LENGTH), "--output", scores], check=True)
    worst, checked, dropped = 0.0, 0, 0
    rows = list(worlds.read_pairs(data / "dpo_en_demo.json"))
    lines = [json.loads(line) for line in scores.read_text().splitlines()]
    assert len(lines) == len(rows), f"{len(lines)} lines for {len(rows)} rows"
    for line, (prompt, chosen, rejected) in zip(lines, rows):
        if "dropped" in line:
            dropped += 1
            continue
        expected = tokenize_pairs.tokenize_pair(tokenizer, prompt, chosen, rejected, boundary, MAX_LENGTH)
        for side in ("chosen", "rejected"):
            prompt_ids, answer_ids = expected[side]
            assert line[f"{side}_tokens"] == len(answer_ids), (line, len(answer_ids))
            with torch.no_grad():
                truth = worlds.summed_logp(model, prompt_ids, answer_ids).item()
            allowed = max(1e-4, 1e-6 * len(answer_ids))
            worst = max(worst, abs(line[f"{side}_logp"] - truth) / allowed)
            checked += 1
    print(f"{family} {boundary}: {checked} responses, {dropped} rows dropped, worst {worst:.2f} of what is allowed: "
          f"{'ok' if worst <= 1 else 'TOO FAR'}", flush=True)
    return worst <= 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path)
    arguments = parser.parse_args()
    tokenizer = worlds.make_tokenizer(arguments.data, 16384)
    good = True
    for family in ("llama", "mistral"):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            model = worlds.make_model(family, tokenizer, folder)
            for boundary in ("trl", "simpo"):
                good &= compare(arguments.binary, arguments.data, family, boundary, model, tokenizer, folder)
    raise SystemExit(0 if good else 1)


main()
