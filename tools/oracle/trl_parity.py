"""Compares the first loss of lmpo with that of TRL's own trainers, for dpo, hinge, ipo, cpo, simpo, orpo and kto.

    build/oracle/bin/pip install trl==1.16.0
    build/oracle/bin/python tools/oracle/trl_parity.py build/release/bin/lmpo DATA \\
        [--golden src/objective/testdata/trl.json]

A small random Llama, and another one as the reference for methods that have one; eight pairs as plain text; one step with learning
rate 0. TRL computes in double. Losses must agree to 1e-6 (relative). KTO uses the same mismatched pairs in both.
"""
import argparse
import json
import os
import pathlib
import subprocess
import tempfile

os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"

import datasets
import torch
from transformers import AutoModelForCausalLM
import trl.kernels.chunked_logprob
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer
from trl.experimental.cpo import CPOConfig, CPOTrainer
from trl.experimental.orpo import ORPOConfig, ORPOTrainer

import worlds


class TorchInDouble:
    """torch, with float64 where float32 is asked for: TRL's head computes log-probabilities in float32 always."""

    float32 = torch.float64

    def __getattr__(self, name):
        return getattr(torch, name)


trl.kernels.chunked_logprob.torch = TorchInDouble()
trl.kernels.chunked_logprob._addmm_fp32 = lambda accumulator, a, b: accumulator.addmm_(a.double(), b.double())

MAX_LENGTH, PAIRS = 256, 8
COMMON = dict(per_device_train_batch_size=PAIRS, max_steps=1, learning_rate=0.0, report_to="none", bf16=False,
              use_cpu=True, logging_steps=1, save_strategy="no", gradient_checkpointing=False, disable_tqdm=True)


def text_rows(data):
    """Short prompts and answers as plain text."""
    rows = []
    for prompt, chosen, rejected in worlds.read_pairs(data / "dpo_en_demo.json"):
        row = {"prompt": prompt[-1]["content"], "chosen": " " + chosen["content"], "rejected": " " + rejected["content"]}
        if all(len(text) < 300 for text in row.values()):
            rows.append(row)
    return rows[:PAIRS]


def methods(policy, reference, tokenizer, rows, output):
    """Name and flags for lmpo, the rows, and a trainer of TRL."""
    pairs = datasets.Dataset.from_list(rows)

    def load(folder):
        return AutoModelForCausalLM.from_pretrained(folder, dtype="float64")

    def make(trainer, config, dataset, with_reference=False, **options):
        arguments = config(output_dir=str(output), **COMMON, **options)
        models = {"ref_model": load(reference)} if with_reference else {}
        return lambda: trainer(model=load(policy), args=arguments, train_dataset=dataset, processing_class=tokenizer, **models)

    for name, loss_type in (("dpo", "sigmoid"), ("hinge", "hinge"), ("ipo", "ipo")):
        yield name, ["--beta", "0.1"], rows, make(DPOTrainer, DPOConfig, pairs, True, loss_type=[loss_type], beta=0.1,
                                                 max_length=MAX_LENGTH)
    yield "cpo", ["--beta", "0.1", "--cpo_alpha", "0.5"], rows, make(
        CPOTrainer, CPOConfig, pairs, beta=0.1, cpo_alpha=0.5, max_length=MAX_LENGTH)
    yield "simpo", ["--beta", "2", "--gamma", "1.2"], rows, make(
        CPOTrainer, CPOConfig, pairs, loss_type="simpo", beta=2.0, simpo_gamma=1.2, cpo_alpha=0.0, max_length=MAX_LENGTH)
    yield "orpo", ["--beta", "0.2"], rows, make(ORPOTrainer, ORPOConfig, pairs, beta=0.2, max_length=MAX_LENGTH)
    labelled = [{"prompt": row["prompt"], "completion": row[side], "label": side == "chosen"}
                for row in rows for side in ("chosen", "rejected")][:PAIRS]
    # TRL puts the previous response of a batch after a prompt, lmpo the next one: the same pairs in reverse order.
    yield "kto", ["--beta", "0.1", "--desirable_weight", "1.5"], labelled[::-1], make(
        KTOTrainer, KTOConfig, datasets.Dataset.from_list(labelled), True, beta=0.1, desirable_weight=1.5,
        max_length=MAX_LENGTH, train_sampling_strategy="sequential")


def our_loss(binary, name, flags, rows, policy, reference, work):
    rows_file, output = work / f"{name}.json", work / f"{name}_out"
    rows_file.write_text(json.dumps(rows))
    with_reference = name in ("dpo", "hinge", "ipo", "kto")
    subprocess.run([binary, "train", "--objective", name, "-m", policy, "--data", rows_file, "--output_dir", output,
                    "--max_length", str(MAX_LENGTH), "--learning_rate", "0", "--max_steps", "1", "--logging_steps", "1",
                    "--per_device_train_batch_size", str(PAIRS), "--save_strategy", "no", "--reference_cache",
                    work / "cache", *(["--ref_model", reference] if with_reference else []), *flags],
                   check=True, capture_output=True)
    return worlds.logged(output, "loss")[0]


def score(model, tokenizer, prompt, answer):
    """Summed log-probability and number of the answer's tokens, and the same for the whole text but its first token."""
    context = tokenizer(prompt)["input_ids"]
    answer = tokenizer(prompt + answer + tokenizer.eos_token)["input_ids"][len(context):]
    with torch.no_grad():
        return {"s": worlds.summed_logp(model, context, answer).item(), "n": len(answer),
                "all_s": worlds.summed_logp(model, context[:1], context[1:] + answer).item(),
                "all_n": len(context) + len(answer) - 1}


def golden_case(name, flags, rows, policy, reference, tokenizer, loss):
    """What the objective's test needs: scores of every response under policy and reference, and TRL's loss."""
    policy, reference = (AutoModelForCausalLM.from_pretrained(folder, dtype="float64") for folder in (policy, reference))
    examples = []
    for i, row in enumerate(rows):
        if name == "kto":
            texts = [row["completion"], rows[(i + 1) % len(rows)]["completion"]]
        else:
            texts = [row["chosen"], row["rejected"]]
        responses = [score(policy, tokenizer, row["prompt"], text) for text in texts]
        for response, text in zip(responses, texts):
            response["r"] = score(reference, tokenizer, row["prompt"], text)["s"]
        examples.append({"desirable": row.get("label", True), "responses": responses})
    options = {flag.removeprefix("--"): float(value) for flag, value in zip(flags[::2], flags[1::2])}
    return {"objective": name, "options": options, "loss": loss, "examples": examples}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--golden", type=pathlib.Path, help="also write scores and losses for src/objective/trl_test.cpp")
    arguments = parser.parse_args()
    golden = []
    tokenizer = worlds.make_tokenizer(arguments.data, 16384)
    tokenizer.pad_token = tokenizer.eos_token
    good = True
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        policy, reference = work / "policy", work / "reference"
        worlds.make_model("llama", tokenizer, policy, 0.06)
        worlds.make_model("llama", tokenizer, reference, 0.05)
        for name, flags, rows, trainer in methods(policy, reference, tokenizer, text_rows(arguments.data), work / "trl"):
            trainer = trainer()
            trainer.train()
            theirs = next(entry["loss"] for entry in trainer.state.log_history if "loss" in entry)
            ours = our_loss(arguments.binary, name, flags, rows, policy, reference, work)
            difference = abs(ours - theirs) / abs(theirs)
            good &= difference <= 1e-6
            golden.append(golden_case(name, flags, rows, policy, reference, tokenizer, theirs))
            print(f"{name}: TRL {theirs:.9g}, lmpo {ours:.9g}, relative difference {difference:.1e}", flush=True)
    if arguments.golden:
        arguments.golden.write_text(json.dumps(golden, indent=1) + "\n")
    raise SystemExit(0 if good else 1)


main()
