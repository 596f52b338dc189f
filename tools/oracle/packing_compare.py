"""Compares packs of `lmpo inspect --pack` with best fit decreasing, written from its definition, and with packs filled in the order of
the batch. Rows are as long as UltraFeedback's (means of 277 and 2 x 266 tokens, long-tailed).

    python3 tools/oracle/packing_compare.py build/release/bin/lmpo        # needs only Python
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "baselines"))
import pair_lengths

BATCH = 128
MODEL = Path(__file__).resolve().parents[2] / "src/data/testdata/llama3"  # every letter of "www" is one token


def in_order(sizes, budget):
    packs = []
    for size in sizes:
        if not packs or packs[-1] + size > budget:
            packs.append(0)
        packs[-1] += size
    return packs


def best_fit_decreasing(sizes, budget):
    packs = []
    for size in sorted(sizes, reverse=True):
        fitting = [pack for pack in packs if pack + size <= budget]
        if fitting:
            packs[packs.index(max(fitting))] += size
        else:
            packs.append(size)
    return packs


def waste(packs, budget):
    return sum(max(0, budget - pack) for pack in packs) / (budget * len(packs))


def inspect(program, rows, budget):
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        pair_lengths.write_rows(file, rows)
        file.flush()
        words = ["--pack", "--max_pack_tokens", str(budget), "--per_device_train_batch_size", str(BATCH), "--show", "0",
                 "--train_sampling_strategy", "sequential", "--json"]
        shown = subprocess.run([program, "inspect", file.name, "-m", MODEL, *words], check=True, capture_output=True)
    return json.loads(shown.stdout)["packing"]


def main():
    rows = pair_lengths.long_tailed_pairs(100 * BATCH)
    # A last token is no input.
    sizes = [prompt + chosen - 1 + rejected - 1 for prompt, chosen, rejected in rows]
    batches = [sizes[begin:begin + BATCH] for begin in range(0, len(sizes), BATCH)]
    failed = False
    for budget in (4096, 8192, 16384):
        before = [pack for batch in batches for pack in in_order(batch, budget)]
        after = [pack for batch in batches for pack in best_fit_decreasing(batch, budget)]
        found = inspect(sys.argv[1], rows, budget)
        same = (found["packs"] == len(after) and found["tokens"] == sum(sizes)
                and abs(found["waste"] - waste(after, budget)) < 1e-9)
        failed |= not same
        print(f"budget {budget}: in order {len(before)} packs, {waste(before, budget):.2%} empty; best fit {found['packs']}, "
              f"{found['waste']:.2%} empty, fewest possible {found['fewest_packs']}, avoidable {found['avoidable_waste']:.2%}"
              f"{'' if same else '  DIFFERS: ' + str(len(after))}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
