"""Measures the way from a file of 61,000 pairs to training: reading, rendering, tokenizing and caching, and the second start.

    tools/oracle/setup
    build/oracle/bin/python tools/baselines/ultrafeedback_size.py build/release/bin/lmpo DATA [--pairs 61000]

The pairs are made of the real texts of DATA, shuffled and joined to about 400 tokens per response, with a new word in every sentence or
so, since real texts do not repeat. The tokenizer is Llama 3's, from llama_models, with its chat template. lmpo is `lmpo train` until its
plan is made and it would load the weights; its memory is peak resident memory, mapped files included. `tokenizers` gets the rendered
texts in memory, in batches of 2,000, on both cores; it does not read, render or cache.
"""
import argparse
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "oracle"))
import tokenizers_golden as golden
from model_templates import TEMPLATES
from tokenizers_real import converted_llama3

TOKENS, CHARACTERS_A_TOKEN = 400, 4.4


def make_pairs(data, count, file):
    picker = random.Random(1)
    sentences = [part for text in golden.corpus(data) for part in re.split(r"(?<=[.!?\n])\s+", text) if 20 < len(part) < 600]

    def text(tokens):
        parts, size = [], 0
        while size < tokens * CHARACTERS_A_TOKEN:
            part = picker.choice(sentences)
            if picker.random() < 0.5:
                part += " " + "".join(picker.choices("abcdefghijklmnoprstuvw", k=picker.randint(4, 9)))
            parts.append(part)
            size += len(part) + 1
        return " ".join(parts)
    texts = []
    with open(file, "w") as lines:
        for _ in range(count):
            prompt, chosen, rejected = (text(max(20, picker.gauss(mean, mean / 3))) for mean in (150, TOKENS, TOKENS))
            lines.write(json.dumps({
                "prompt": prompt, "chosen": [{"role": "user", "content": prompt}, {"role": "assistant", "content": chosen}],
                "rejected": [{"role": "user", "content": prompt}, {"role": "assistant", "content": rejected}]}) + "\n")
            texts += [(prompt, chosen), (prompt, rejected)]
    return texts


def start(binary, work, rows):
    """Seconds until the plan is shown, and the peak of memory."""
    started = time.monotonic()
    run = subprocess.Popen([binary, "train", "--model", work / "model", "--data", rows, "--max_length", "2048",
                            "--max_prompt_length", "1800", "--token_cache", work / "cache", "--device", "cpu",
                            "--output_dir", work / "out", "--overwrite_output_dir", "--disable_tqdm",
                            "--per_device_train_batch_size", "2", "--gradient_accumulation_steps", "64", "--num_train_epochs", "1"],
                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    log = ""
    for line in run.stderr:
        log += line
        if "steps of" in line:
            seconds = time.monotonic() - started
            run.kill()
            _, _, usage = os.wait4(run.pid, 0)
            return seconds, usage.ru_maxrss * 1024
    sys.exit(log)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--pairs", type=int, default=61000)
    arguments = parser.parse_args()
    tokenizer = converted_llama3()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        (work / "texts").mkdir()
        tokenizer.save(str(work / "texts/tokenizer.json"))
        names = {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>", "chat_template": TEMPLATES["llama3"]}
        (work / "texts/tokenizer_config.json").write_text(json.dumps(names))
        (work / "texts/config.json").write_text(json.dumps({
            "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 128256, "hidden_size": 64,
            "intermediate_size": 128, "num_hidden_layers": 1, "num_attention_heads": 4, "max_position_embeddings": 8192,
            "bos_token_id": 128000, "eos_token_id": 128009}))
        subprocess.run([arguments.binary, "init", "--config", work / "texts/config.json", "--tokenizer", work / "texts", "--seed", "1",
                        work / "model"], check=True, capture_output=True)
        texts = make_pairs(arguments.data, arguments.pairs, work / "pairs.jsonl")
        print(f"{arguments.pairs} pairs, {(work / 'pairs.jsonl').stat().st_size / 1e6:.0f} MB", flush=True)
        first, memory = start(arguments.binary, work, work / "pairs.jsonl")
        cache = sum(file.stat().st_size for file in (work / "cache").rglob("*") if file.is_file())
        print(f"first start {first:.1f} s, peak {memory / 2**20:.0f} MiB, cache {cache / 2**20:.0f} MiB", flush=True)
        for _ in range(2):
            seconds, memory = start(arguments.binary, work, work / "pairs.jsonl")
            print(f"next start {seconds:.2f} s, peak {memory / 2**20:.0f} MiB", flush=True)
        header = "<|start_header_id|>{}<|end_header_id|>\n\n"
        rendered = ["<|begin_of_text|>" + header.format("user") + prompt + "<|eot_id|>" + header.format("assistant") + answer
                    + "<|eot_id|>" for prompt, answer in texts]
        before, started = os.times(), time.monotonic()
        tokens = 0
        for begin in range(0, len(rendered), 2000):  # all at once would take tens of gigabytes
            tokens += sum(len(item.ids) for item in tokenizer.encode_batch_fast(rendered[begin:begin + 2000]))
        baseline, after = time.monotonic() - started, os.times()
        baseline_cpu = sum(after[:2]) - sum(before[:2])
        print(f"tokenizers, encode_batch_fast: {baseline:.1f} s ({baseline_cpu:.1f} s of processors), {tokens} tokens; lmpo's first start, all of "
              f"it, is {baseline / first:.2f} times as fast", flush=True)


if __name__ == "__main__":
    main()
