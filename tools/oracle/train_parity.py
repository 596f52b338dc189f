"""Twenty training steps of lmpo beside a plain PyTorch loop: losses step by step, and the final weights.

    build/oracle/bin/python tools/oracle/train_parity.py build/release/bin/lmpo ../shared/data

Exits 1 when a step's loss departs by more than 1e-5 (relative) or the weights by more than 1e-6 (mean absolute).
"""
import argparse
import json
import math
import pathlib
import subprocess
import tempfile

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, get_cosine_schedule_with_warmup

import worlds

STEPS, BATCH, RATE, MAX_LENGTH = 20, 4, 1e-4, 512


class Simpo:
    name, flags = "simpo", ["--beta", "2.0", "--gamma", "1.6"]

    def loss(self, pairs):
        return torch.stack([torch.nn.functional.softplus(1.6 - 2.0 * (s_w / n_w - s_l / n_l))
                            for s_w, n_w, s_l, n_l in pairs]).mean()

    def after_step(self):
        pass


class Lmpo:
    """Detached margins; `ema` statistics lag one step and start from the first batch."""
    name = "lmpo"

    def __init__(self, zscore):
        self.zscore = zscore
        self.flags = ["--beta", "2.0", "--home_advantage", "1.6", "--lambda", "0.2", "--zscore", zscore]
        self.mean = self.std = None

    def loss(self, pairs):
        margins = []
        for s_w, n_w, s_l, n_l in pairs:
            p_w = math.exp(s_w.item() / n_w * (n_w + n_l) / (2 * n_w))
            p_l = math.exp(s_l.item() / n_l * (n_w + n_l) / (2 * n_l))
            margins.append((1 - p_w) * (1 - (p_w - p_l) ** 5))
        self.margins = torch.tensor(margins, dtype=torch.float64)
        if self.zscore == "none":
            mean, std = 0.0, 1.0
        else:
            if self.mean is None:
                self.mean, self.std = self.margins.mean().item(), self.margins.std().item()
            mean, std = self.mean, max(self.std, 1e-6)
        return torch.stack([torch.nn.functional.softplus(1.6 - (2.0 * (s_w / n_w - s_l / n_l) - 0.2 * (m - mean) / std))
                            for (s_w, n_w, s_l, n_l), m in zip(pairs, self.margins)]).mean()

    def after_step(self):
        if self.zscore == "ema":
            self.mean = 0.9 * self.mean + 0.1 * self.margins.mean().item()
            self.std = 0.9 * self.std + 0.1 * self.margins.std().item()


def torch_losses(model, tokenizer, rows, objective):
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.0)
    schedule = get_cosine_schedule_with_warmup(optimizer, math.ceil(0.1 * STEPS), STEPS)
    losses = []
    for step in range(STEPS):
        pairs = []
        for prompt, chosen, rejected in rows[step * BATCH:(step + 1) * BATCH]:
            pair = []
            for answer in (chosen, rejected):
                prompt_ids, answer_ids = worlds.tokenize(tokenizer, prompt, answer, MAX_LENGTH)
                pair += [worlds.summed_logp(model, prompt_ids, answer_ids), len(answer_ids)]
            pairs.append(pair)
        loss = objective.loss(pairs)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        objective.after_step()
        losses.append(loss.item())
    return losses


def compare(binary, data, objective, model_folder, tokenizer, rows, work):
    rows_file, output = work / "rows.json", work / "out"
    rows_file.write_text(json.dumps([{"prompt": p, "chosen": [c], "rejected": [r]} for p, c, r in rows]))
    subprocess.run([binary, "train", "--objective", objective.name, "-m", model_folder, "--data", rows_file,
                    "--output_dir", output, "--max_length", str(MAX_LENGTH), "--learning_rate", str(RATE),
                    "--per_device_train_batch_size", "2", "--gradient_accumulation_steps", str(BATCH // 2),
                    "--lr_scheduler_type", "cosine", "--warmup_ratio", "0.1", "--num_train_epochs", "1",
                    "--train_sampling_strategy", "sequential", "--logging_steps", "1", "--save_strategy", "no",
                    *objective.flags], check=True)
    history = json.loads((output / "trainer_state.json").read_text())["log_history"]
    ours = [entry["loss"] for entry in history if "loss" in entry]
    model = AutoModelForCausalLM.from_pretrained(model_folder, attn_implementation="eager")
    theirs = torch_losses(model, tokenizer, rows, objective)
    worst = max(abs(a - b) / abs(b) for a, b in zip(ours, theirs, strict=True))
    written = load_file(output / "model.safetensors")
    differences = torch.cat([(written[name] - p.detach()).abs().flatten() for name, p in model.named_parameters()])
    mean, largest = differences.mean().item(), differences.max().item()
    good = worst <= 1e-5 and mean <= 1e-6
    print(f"{objective.name} {' '.join(objective.flags)}: worst loss {worst:.1e} relative, weights {mean:.1e} mean "
          f"{largest:.1e} worst: {'ok' if good else 'TOO FAR'}", flush=True)
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path)
    arguments = parser.parse_args()
    tokenizer = worlds.make_tokenizer(arguments.data, 16384)
    rows = [row for row in worlds.read_pairs(arguments.data / "dpo_en_demo.json")
            if len(worlds.tokenize(tokenizer, row[0], row[1], MAX_LENGTH)[0]) < MAX_LENGTH // 2][:STEPS * BATCH]
    good = True
    for objective in (Simpo(), Lmpo("none"), Lmpo("ema")):
        with tempfile.TemporaryDirectory() as work:
            work = pathlib.Path(work)
            worlds.make_model("llama", tokenizer, work / "model")
            good &= compare(arguments.binary, arguments.data, objective, work / "model", tokenizer, rows, work)
    raise SystemExit(0 if good else 1)


main()
