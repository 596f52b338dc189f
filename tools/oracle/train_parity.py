"""Compares twenty training steps of lmpo with a plain PyTorch loop in double: losses step by step, and the final weights.

With bfloat16 weights the loop keeps masters in double and rounds them to bfloat16 before each forward pass.

    build/oracle/bin/python tools/oracle/train_parity.py build/release/bin/lmpo DATA

Runs every objective, or one with --objective NAME. Exits with 1 if a step's loss differs by more than 1e-5 (relative) or the weights
by more than 1e-6 (mean absolute).
"""
import argparse
import copy
import json
import math
import pathlib
import subprocess
import tempfile
import types

import torch
from safetensors.torch import load_file
from transformers import get_cosine_schedule_with_warmup

import worlds

STEPS, BATCH, RATE, MAX_LENGTH = 20, 4, 1e-4, 512
# Masters that differ by float32's rounding round to other bfloat16 numbers now and then: this loop with masters in float32 instead of
# double differs by 1.0e-5, too (19 of 177,072 weights).
ALLOWED = {"float32": 1e-5, "bfloat16": 1e-4}


softplus = torch.nn.functional.softplus
BETA = 0.1


def averages(pair):
    return pair.s_w / pair.n_w, pair.s_l / pair.n_l


def log_ratio(pair):
    return (pair.s_w - pair.r_w) - (pair.s_l - pair.r_l)


def log_odds(a):
    return a - torch.log1p(-torch.exp(a))


def orpo(pairs):
    odds = [log_odds(a_w) - log_odds(a_l) for a_w, a_l in map(averages, pairs)]
    nll = -sum(pair.conversation_s for pair in pairs) / sum(pair.conversation_n for pair in pairs)
    return nll + BETA * torch.stack([softplus(-z) for z in odds]).mean()


def cpo(pairs):
    nll = -sum(pair.s_w for pair in pairs) / sum(pair.n_w for pair in pairs)
    return torch.stack([softplus(-BETA * (pair.s_w - pair.s_l)) for pair in pairs]).mean() + nll


def ranked(loss, weight):
    def batch_loss(pairs):
        nll = -sum(pair.s_w for pair in pairs) / sum(pair.n_w for pair in pairs)
        return torch.stack([loss(*averages(pair)) for pair in pairs]).mean() + weight * nll
    return batch_loss


def mean_over_pairs(loss):
    return lambda pairs: torch.stack([loss(pair) for pair in pairs]).mean()


def ipo(pair):
    ratio = (pair.s_w - pair.r_w) / pair.n_w - (pair.s_l - pair.r_l) / pair.n_l
    return (ratio - 1 / (2 * BETA)) ** 2


def simpo(pair):
    a_w, a_l = averages(pair)
    return softplus(1.6 - 2.0 * (a_w - a_l))


class Plain:
    """An objective without a memory: a loss of the batch's pairs. A loss smaller than `least` is compared with that."""
    def __init__(self, name, loss, *flags, least=0.0):
        self.name, self.loss, self.flags, self.least = name, loss, list(flags), least

    def after_step(self):
        pass


BETA_FLAGS = ["--beta", str(BETA)]
WITH_REFERENCE = ("dpo", "hinge", "ipo", "rdpo")
PLAIN = [
    Plain("simpo", mean_over_pairs(simpo), "--beta", "2.0", "--gamma", "1.6"),
    Plain("dpo", mean_over_pairs(lambda p: softplus(-BETA * log_ratio(p))), *BETA_FLAGS),
    Plain("hinge", mean_over_pairs(lambda p: torch.relu(1 - BETA * log_ratio(p))), *BETA_FLAGS),
    Plain("ipo", mean_over_pairs(ipo), *BETA_FLAGS),
    Plain("rdpo", mean_over_pairs(lambda p: softplus(-(BETA * log_ratio(p) - 0.01 * (p.n_w - p.n_l)))), *BETA_FLAGS,
          "--rdpo_alpha", "0.01"),
    Plain("slic", mean_over_pairs(lambda p: torch.relu(1 - p.s_w + p.s_l) - 0.1 * p.s_w), "--delta", "1", "--lambda",
          "0.1"),
    Plain("cpo", cpo, *BETA_FLAGS, "--cpo_alpha", "1"),
    Plain("orpo", orpo, *BETA_FLAGS),
    Plain("simper", mean_over_pairs(lambda p: torch.exp(averages(p)[1]) - torch.exp(averages(p)[0])),
          least=1 / 16384),  # a difference of two tokens' probabilities
    Plain("pro", ranked(lambda a_w, a_l: softplus(a_l - a_w), 0.05), "--sft_weight", "0.05"),
    Plain("rrhf", ranked(lambda a_w, a_l: torch.relu(a_l - a_w), 1.0), "--sft_weight", "1"),
]


class Kto:
    """Pairs are taken apart; an example's mismatched response is one to another prompt."""
    name, flags = "kto", [*BETA_FLAGS, "--desirable_weight", "1.5"]

    def loss(self, examples):
        with torch.no_grad():
            z0 = max(0.0, torch.stack([e.mismatched_s - e.mismatched_r for e in examples]).mean().item())
        losses = []
        for e in examples:
            z = e.s - e.r
            losses.append(1.5 * torch.sigmoid(-BETA * (z - z0)) if e.desirable else torch.sigmoid(-BETA * (z0 - z)))
        return torch.stack(losses).mean()

    def after_step(self):
        pass


def scores(pair):
    return pair.s_w, pair.n_w, pair.s_l, pair.n_l


class Sft:
    """Of the chosen responses alone: each is a tree by itself."""
    name, flags = "sft", []

    def loss(self, examples):
        return -sum(e.s for e in examples) / sum(e.n for e in examples)

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
        for s_w, n_w, s_l, n_l in map(scores, pairs):
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
                            for (s_w, n_w, s_l, n_l), m in zip(map(scores, pairs), self.margins)]).mean()

    def after_step(self):
        if self.zscore == "ema":
            self.mean = 0.9 * self.mean + 0.1 * self.margins.mean().item()
            self.std = 0.9 * self.std + 0.1 * self.margins.std().item()


def batches_of_pairs(model, reference, tokenizer, rows, with_conversations):
    """Each step's pairs, scored by the model as it then is and, if there is one, by the frozen reference."""
    for step in range(STEPS):
        pairs = []
        for prompt, chosen, rejected in rows[step * BATCH:(step + 1) * BATCH]:
            pair = types.SimpleNamespace()
            sides = {side: worlds.tokenize(tokenizer, prompt, answer, MAX_LENGTH)
                     for side, answer in (("w", chosen), ("l", rejected))}
            length = max(len(prompt_ids) + len(answer_ids) for prompt_ids, answer_ids in sides.values())
            for side, (prompt_ids, answer_ids) in sides.items():
                setattr(pair, f"s_{side}", worlds.summed_logp(model, prompt_ids, answer_ids, length))
                setattr(pair, f"n_{side}", len(answer_ids))
                if reference is not None:
                    with torch.no_grad():
                        setattr(pair, f"r_{side}", worlds.summed_logp(reference, prompt_ids, answer_ids, length))
                if side == "w" and with_conversations:
                    pair.conversation_s = worlds.summed_logp(model, prompt_ids[:1], prompt_ids[1:] + answer_ids)
                    pair.conversation_n = len(prompt_ids) + len(answer_ids) - 1
            pairs.append(pair)
        yield pairs


def mismatched(prompts):
    """For each example the index of another: in the order of the prompts' first places, as far on as the most frequent prompt is long."""
    order = sorted(range(len(prompts)), key=lambda i: prompts.index(prompts[i]))
    most = max(map(prompts.count, prompts))
    return {i: order[(place + most) % len(order)] for place, i in enumerate(order)}


def batches_of_examples(model, reference, tokenizer, rows):
    """The same for single responses."""
    examples = [worlds.tokenize(tokenizer, prompt, answer, MAX_LENGTH) + (answer is chosen,)
                for prompt, chosen, rejected in rows for answer in (chosen, rejected)]
    others = mismatched([prompt for prompt, _, _ in examples])
    for step in range(STEPS):
        batch = []
        for i in range(step * BATCH, (step + 1) * BATCH):
            prompt, answer, desirable = examples[i]
            other = examples[others[i]][1][:MAX_LENGTH - len(prompt)]
            with torch.no_grad():
                r, mismatched_r = (worlds.summed_logp(reference, prompt, text) for text in (answer, other))
                mismatched_s = worlds.summed_logp(model, prompt, other)
            batch.append(types.SimpleNamespace(s=worlds.summed_logp(model, prompt, answer), r=r, desirable=desirable,
                                               mismatched_s=mismatched_s, mismatched_r=mismatched_r))
        yield batch


def batches_of_answers(model, tokenizer, rows):
    """The chosen responses alone."""
    for step in range(STEPS):
        batch = []
        for prompt, chosen, _ in rows[step * BATCH:(step + 1) * BATCH]:
            prompt_ids, answer_ids = worlds.tokenize(tokenizer, prompt, chosen, MAX_LENGTH)
            batch.append(types.SimpleNamespace(s=worlds.summed_logp(model, prompt_ids, answer_ids), n=len(answer_ids)))
        yield batch


class Masters:
    """What the optimizer updates: the model's parameters, or masters in double of which they are the rounding to bfloat16."""
    def __init__(self, model, dtype):
        self.rounded = list(model.parameters()) if dtype == "bfloat16" else []
        self.parameters = [torch.nn.Parameter(p.detach().clone()) for p in self.rounded] or list(model.parameters())

    def take_gradients(self):
        for master, parameter in zip(self.parameters, self.rounded):
            master.grad, parameter.grad = parameter.grad, None

    def round(self):
        with torch.no_grad():
            for master, parameter in zip(self.parameters, self.rounded):
                parameter.copy_(master.bfloat16())


def torch_losses(model, tokenizer, rows, objective, dtype="float32"):
    model.double()
    masters = Masters(model, dtype)
    optimizer = torch.optim.AdamW(masters.parameters, lr=RATE, weight_decay=0.0)
    schedule = get_cosine_schedule_with_warmup(optimizer, math.ceil(0.1 * STEPS), STEPS)
    losses = []
    if isinstance(objective, Kto):
        batches = batches_of_examples(model, copy.deepcopy(model), tokenizer, rows)
    elif isinstance(objective, Sft):
        batches = batches_of_answers(model, tokenizer, rows)
    else:
        reference = copy.deepcopy(model) if objective.name in WITH_REFERENCE else None
        batches = batches_of_pairs(model, reference, tokenizer, rows, objective.name == "orpo")
    for batch in batches:
        loss = objective.loss(batch)
        loss.backward()
        masters.take_gradients()
        torch.nn.utils.clip_grad_norm_(masters.parameters, 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        masters.round()
        objective.after_step()
        losses.append(loss.item())
    return losses


def compare(binary, objective, model_folder, tokenizer, rows, work, dtype="float32"):
    """The worst relative difference of a loss, and whether losses and weights are as near as they must be."""
    rows_file, output = work / "rows.json", work / "out"
    rows_file.write_text(json.dumps([{"prompt": p, "chosen": [c], "rejected": [r]} for p, c, r in rows]))
    subprocess.run([binary, "train", "--objective", objective.name, "-m", model_folder, "--data", rows_file,
                    "--output_dir", output, "--max_length", str(MAX_LENGTH), "--learning_rate", str(RATE),
                    "--per_device_train_batch_size", "2", "--gradient_accumulation_steps", str(BATCH // 2),
                    "--lr_scheduler_type", "cosine", "--warmup_ratio", "0.1", "--max_steps", str(STEPS),
                    "--reference_cache", work / "cache",
                    "--train_sampling_strategy", "sequential", "--logging_steps", "1", "--save_strategy", "no",
                    "--dtype", dtype, *objective.flags], check=True, capture_output=True)
    ours = worlds.logged(output, "loss")
    model = worlds.open_model(model_folder, dtype)
    theirs = torch_losses(model, tokenizer, rows, objective, dtype)
    worst = max(abs(a - b) / max(abs(b), getattr(objective, "least", 0.0)) for a, b in zip(ours, theirs, strict=True))
    written = load_file(output / "model.safetensors")
    differences = torch.cat([(written[name] - p.detach()).abs().flatten() for name, p in worlds.text_parameters(model)])
    mean, largest = differences.mean().item(), differences.max().item()
    good = worst <= ALLOWED[dtype] and mean <= 1e-6
    print(f"{objective.name} {' '.join(objective.flags)}: worst loss {worst:.1e} relative, weights {mean:.1e} mean "
          f"{largest:.1e} worst: {'ok' if good else 'TOO FAR'}", flush=True)
    return worst, good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--objective", help="only this one")
    arguments = parser.parse_args()
    tokenizer = worlds.make_tokenizer(arguments.data, 16384)
    rows = [row for row in worlds.read_pairs(arguments.data / "dpo_en_demo.json")
            if len(worlds.tokenize(tokenizer, row[0], row[1], MAX_LENGTH)[0]) < MAX_LENGTH // 2][:STEPS * BATCH]
    good = True
    for objective in (*PLAIN, Kto(), Sft(), Lmpo("none"), Lmpo("ema")):
        if arguments.objective not in (None, objective.name):
            continue
        with tempfile.TemporaryDirectory() as work:
            work = pathlib.Path(work)
            worlds.make_model("llama", tokenizer, work / "model")
            good &= compare(arguments.binary, objective, work / "model", tokenizer, rows, work)[1]
    raise SystemExit(0 if good else 1)


if __name__ == "__main__":
    main()
