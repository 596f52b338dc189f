"""Reads model cards written by lmpo with huggingface_hub and PyYAML, and runs their code.

    build/oracle/bin/python tools/oracle/model_card.py build/release/bin/lmpo

Trains the embedded example (or, with --example FOLDER, uses the result of `lmpo example FOLDER`), merges and exports its models,
and reads every card. The front matter must be what the Hub expects; the Python code must run in the model's folder with
transformers and give the answer of `lmpo generate`; the shell lines must work. Exits with 1 if anything differs.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml
from huggingface_hub import ModelCard

problems = []


def expect(condition, what):
    print(("ok      " if condition else "WRONG   ") + what)
    if not condition:
        problems.append(what)


def run(program, *words, folder=None):
    result = subprocess.run([program, *map(str, words)], capture_output=True, text=True, cwd=folder)
    if result.returncode != 0:
        sys.exit(f"lmpo {' '.join(map(str, words))}: {result.stderr}")
    return result.stdout


def code(card, language):
    return re.search(rf"^```{language}\n(.*?)^```$", card.text, re.S | re.M).group(1)


def check(program, folder, tags):
    name = folder.name
    card = ModelCard.load(folder / "README.md")
    raw = yaml.safe_load((folder / "README.md").read_text().split("---\n")[1])
    expect(raw == card.data.to_dict(), f"{name}: PyYAML and huggingface_hub read the same front matter")
    expect(card.data.library_name == "transformers" and card.data.pipeline_tag == "text-generation",
           f"{name}: library and pipeline")
    expect(card.data.tags == tags, f"{name}: tags {card.data.tags}")
    expect("license" not in raw and "base_model" not in raw, f"{name}: nothing is claimed that nobody said")

    answer = subprocess.run([sys.executable, "-c", code(card, "python")], capture_output=True, text=True, cwd=folder)
    expect(answer.returncode == 0, f"{name}: the Python code runs {answer.stderr[-300:] if answer.returncode else ''}")
    shell = [line for line in code(card, "sh").splitlines() if not line.startswith("lmpo chat")]
    environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"}
    for line in shell:
        done = subprocess.run(line, shell=True, capture_output=True, text=True, cwd=folder, env=environment)
        # The example's tokenizer is none that llama.cpp knows, which the card allows for.
        refused = line.startswith("lmpo export") and "llama.cpp cannot be told to cut words so" in done.stderr
        expect(done.returncode == 0 or refused, f"{name}: {line} {done.stderr if done.returncode else ''}")
        if line.startswith("lmpo generate"):
            mine = json.loads(done.stdout)["output"]
            expect(answer.stdout.rstrip("\n") == mine, f"{name}: transformers and lmpo answer {mine!r}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--example", type=pathlib.Path)
    arguments = parser.parse_args()
    program, folder = arguments.program, arguments.example
    with tempfile.TemporaryDirectory() as temporary:
        if folder is None:
            folder = pathlib.Path(temporary) / "example"
            run(program, "example", folder)
        merged, half = pathlib.Path(temporary) / "merged", pathlib.Path(temporary) / "half"
        run(program, "merge", folder / "sft", folder / "lmpo", "--output", merged)
        run(program, "export", folder / "lmpo", "--format", "safetensors", "--dtype", "bfloat16", "--output", half)
        check(program, folder / "sft", ["lmpo", "sft"])
        check(program, folder / "lmpo", ["lmpo", "preference-optimization"])
        check(program, merged, ["lmpo", "merge"])
        check(program, half, ["lmpo"])
    sys.exit(1 if problems else 0)


main()
