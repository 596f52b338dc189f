"""Planned memory beside the resident peak of a short training run, for each family.

    build/oracle/bin/python tools/oracle/families_memory.py build/release/bin/lmpo DATA [NAME...]

Models of make_families.py's kinds with hidden size 768 and 16,384 tokens (some 80 million parameters), made by `lmpo init`; one step of
SimPO with 2 pairs of at most 512 tokens. Prints a row of a table for each; exits with 1 if a plan is more than 3% off.
"""
import argparse
import json
import pathlib
import re
import subprocess
import tempfile

import make_families
import worlds

VOCABULARY, ALLOWED = 16384, 0.03
SIZES = dict(hidden_size=768, intermediate_size=2048, num_hidden_layers=8, num_attention_heads=12, num_key_value_heads=4)
NAMES = ["llama", "mistral", "ministral3", "qwen2_window", "qwen3", "gemma", "gemma2", "gemma3_text", "phi3_longrope_partial", "olmo2",
         "olmo3", "smollm3", "granite"]


def changes(name):
    keys = make_families.VARIANTS[name]
    result = SIZES | ({"head_dim": 64} if "head_dim" in keys else {})
    if name == "gemma3_text":
        result["layer_types"] = keys["layer_types"] * 2
    if name == "phi3_longrope_partial":
        result["rope_parameters"] = make_families.longrope(48, 24) | dict(partial_rotary_factor=0.75)
    return result


def write_pairs(data, tokenizer, work):
    """Two pairs that are longer than 512 tokens, so that the step is the largest that is planned for."""
    rows = [row for row in worlds.read_pairs(data / "dpo_en_demo.json")
            if len(worlds.tokenize(tokenizer, row[0], row[1], 512)[0]) < 256
            and all(sum(map(len, worlds.tokenize(tokenizer, row[0], answer, 512))) == 512 for answer in row[1:])][:2]
    path = work / "pairs.json"
    path.write_text(json.dumps([dict(prompt=prompt, chosen=[chosen], rejected=[rejected]) for prompt, chosen, rejected in rows]))
    return path


def run(*command):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stderr


def measure(binary, name, data, work):
    """Megabytes planned and at the peak, as the run says them, and the parameters."""
    make_families.configuration(name, VOCABULARY, **changes(name)).save_pretrained(work / "config")
    made = run(binary, "init", "--config", work / "config" / "config.json", "--tokenizer", work / "tokenizer", work / "model")
    told = run(binary, "train", "--objective", "simpo", "-m", work / "model", "--data", data, "--output_dir", work / "out", "--max_length",
               512, "--max_steps", 1, "--per_device_train_batch_size", 2, "--save_strategy", "no")
    planned, peak = re.search(r"memory: (\S+ \wB) planned, (\S+ \wB) at the peak", told).groups()
    return re.search(r"(\d+) parameters", made)[1], planned, peak


def bytes_of(text):
    number, unit = text.split()
    return float(number) * {"MB": 1e6, "GB": 1e9}[unit]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("names", nargs="*", default=NAMES)
    arguments = parser.parse_args()
    tokenizer = worlds.make_tokenizer(arguments.data, VOCABULARY)
    good = True
    for name in arguments.names:
        with tempfile.TemporaryDirectory() as work:
            work = pathlib.Path(work)
            tokenizer.save_pretrained(work / "tokenizer")
            parameters, planned, peak = measure(arguments.binary.resolve(), name, write_pairs(arguments.data, tokenizer, work), work)
            off = bytes_of(planned) / bytes_of(peak) - 1
            print(f"| `{name}` | {int(parameters) / 1e6:.1f} million | {planned} | {peak} | {100 * off:+.1f}% |", flush=True)
            good &= abs(off) <= ALLOWED
    raise SystemExit(0 if good else 1)


if __name__ == "__main__":
    main()
