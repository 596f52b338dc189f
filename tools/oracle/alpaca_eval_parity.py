#!/usr/bin/env python3
"""Compares `lmpo eval alpaca` with alpaca_eval itself over one judge: requests, preferences, the leaderboard's row.

    build/oracle/bin/python tools/oracle/alpaca_eval_parity.py build/release/bin/lmpo ../shared/eval/alpaca [N]

Needs alpaca_eval (pip install alpaca_eval). The judge is tools/fake_server.py; instructions and outputs are the first N (805) published ones. lmpo
also scores the annotations.json that alpaca_eval writes.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import pandas

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from fake_server import FakeServer


def messages_of(server):
    """What a judge was asked, in the order of the texts."""
    return sorted(json.dumps([body[key] for key in ("messages", "max_tokens", "temperature", "logprobs", "top_logprobs")]) for body in server.requests)


def judged_by_alpaca_eval(outputs, reference, folder):
    import alpaca_eval
    leaderboard, annotations = alpaca_eval.evaluate(
        model_outputs=json.loads(outputs.read_text()), reference_outputs=json.loads(reference.read_text()),
        annotators_config="weighted_alpaca_eval_gpt4_turbo", fn_metric="get_winrate", sort_by="win_rate", name="mine",
        output_path=str(folder), precomputed_leaderboard=None, is_return_instead_of_print=True, caching_path=None)
    pathlib.Path(folder, "annotations.json").write_text(json.dumps(annotations))
    return leaderboard.loc["mine"]


def lmpo(program, *words):
    return subprocess.run([program, "eval", "alpaca", *map(str, words)], check=True, text=True, stdout=subprocess.PIPE).stdout


def row_of(folder):
    return pandas.read_csv(folder / "leaderboard.csv", index_col=0).loc["mine"]


def require(same, what):
    print(f"{what}: {'equal' if same else 'DIFFERENT'}")
    return 0 if same else 1


def main():
    program, data = sys.argv[1], pathlib.Path(sys.argv[2])
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 805
    published = json.loads((data / "annotations_gemma-7b-it.json").read_text())[:count]
    folder = pathlib.Path(tempfile.mkdtemp())
    outputs, reference = folder / "model_outputs.json", folder / "reference.json"
    outputs.write_text(json.dumps([{"dataset": r["dataset"], "instruction": r["instruction"], "output": r["output_2"], "generator": "mine"} for r in published]))
    reference.write_text(json.dumps([{"dataset": r["dataset"], "instruction": r["instruction"], "output": r["output_1"], "generator": r["generator_1"]} for r in published]))
    theirs, ours = FakeServer(""), FakeServer("")
    os.environ.update(OPENAI_API_KEY="sk-none", OPENAI_BASE_URL=theirs.url + "v1", OPENAI_MAX_CONCURRENCY="1")
    row = judged_by_alpaca_eval(outputs, reference, folder / "theirs")
    lmpo(program, "--model_outputs", outputs, "--reference_outputs", reference, "--judge", ours.url + "v1", "--output", folder / "ours")
    lmpo(program, "--annotations", folder / "theirs" / "annotations.json", "--output", folder / "theirs_scored")

    failures = require(len(theirs.requests) == len(ours.requests), f"number of requests, {len(ours.requests)}")
    failures += require(messages_of(theirs) == messages_of(ours), "their messages and settings")
    by_instruction = [{r["instruction"]: r["preference"] for r in json.loads((folder / who / "annotations.json").read_text())} for who in ("theirs", "ours")]
    worst = max(abs(by_instruction[0][key] - by_instruction[1][key]) for key in by_instruction[0])
    failures += require(by_instruction[0].keys() == by_instruction[1].keys() and worst < 1e-12, f"{len(by_instruction[0])} preferences (at most {worst:.1e})")
    for column in ("win_rate", "standard_error", "n_wins", "n_wins_base", "n_draws", "n_total", "discrete_win_rate", "avg_length"):
        for who in ("ours", "theirs_scored"):
            mine = row_of(folder / who)[column]
            failures += require(abs(row[column] - mine) < 1e-9, f"{column} of {who}: {mine}, {row[column]}")
    return failures


if __name__ == "__main__":
    sys.exit(min(main(), 1))
