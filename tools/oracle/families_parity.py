"""Every family beside transformers: scores, gradients, training, answers and written folders of small random models.

    build/oracle/bin/python tools/oracle/families_parity.py build/release/bin/lmpo DATA [--only NAME...] [--bfloat16]

For each model of make_families.py, with a tokenizer of DATA, in float32:
- log-probabilities of 200 responses, with their prompts up to 1,280 tokens: within 1e-4, or 1e-6 a token, of a float32 forward;
- the gradient of every parameter, from the first moments of a step with learning rate 0: within 1e-4 (relative) of autograd's in
  float64;
- twenty steps of lmpo and of sft, up to 320 tokens: losses within 1e-5 (relative) of a PyTorch loop in float64 (train_parity.py);
- greedy answers to 20 prompts: equal, but where transformers' own first and second token are closer than 1e-4;
- the folder that training wrote: transformers opens it without a warning, and lmpo scores it as transformers does.
With --bfloat16 the weights are bfloat16: scores of the 200 shortest responses in both of lmpo's types; for some
models twenty steps within 1e-4 of a loop with masters in float64, and the written folder. Windows are longer here than in make_families.py.
Prints a line a model; exits with 1 if anything differs by more.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile
import types

import torch
from safetensors.torch import load_file
from transformers.utils import logging

import checkpoint_roundtrip
import make_families
import train_parity
import worlds

VOCABULARY, LENGTH, TRAIN_LENGTH, PROMPTS, NEW_TOKENS = 1024, 1280, 320, 20, 24
# longrope takes its long factors from here on: some pairs of DATA are shorter, others are not.
LONG_FROM = 250
WINDOW_FACTOR = 16
TRAINED_IN_BFLOAT16 = ("llama", "qwen3", "gemma2", "gemma3_text", "phi3_longrope_partial", "olmo3", "granite")
train_parity.MAX_LENGTH = TRAIN_LENGTH


def changes(name):
    """Keys of the text's configuration that fit texts of these lengths."""
    text = make_families.VARIANTS[name].get("text", make_families.VARIANTS[name])
    result = dict(max_position_embeddings=LENGTH)
    if text.get("sliding_window"):
        result["sliding_window"] = WINDOW_FACTOR * text["sliding_window"]
    if "original_max_position_embeddings" in text:
        result["original_max_position_embeddings"] = LONG_FROM
        result["rope_parameters"] = text["rope_parameters"] | dict(original_max_position_embeddings=LONG_FROM)
    return result


def run(*command):
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout


def write_pairs(path, rows):
    path.write_text(json.dumps([{"prompt": prompt, "chosen": [chosen], "rejected": [rejected]} for prompt, chosen, rejected in rows]))
    return path


class Comparison:
    """One model: its folder, transformers' reading of it, and rows of DATA."""
    def __init__(self, binary, name, tokenizer, rows, work, dtype="float32"):
        self.binary, self.tokenizer, self.rows, self.work, self.dtype = binary, tokenizer, rows, work, dtype
        self.folder = work / name
        ids = dict(bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id)
        make_families.make(name, len(tokenizer), **ids | changes(name)).to(getattr(torch, dtype)).save_pretrained(self.folder)
        tokenizer.save_pretrained(self.folder)

    def tokenized(self, row):
        """Prompt and answer of both sides, and the tokens of the longer one."""
        sides = [worlds.tokenize(self.tokenizer, row[0], answer, LENGTH) for answer in row[1:]]
        return sides, max(len(prompt) + len(answer) for prompt, answer in sides)

    def score(self, folder, model, rows, dtype="float32"):
        """The worst difference of a response's log-probability, in units of what is allowed."""
        pairs, output = write_pairs(self.work / "pairs.json", rows), self.work / "scores.jsonl"
        run(self.binary, "score", "--model", folder, "--data", pairs, "--max_length", LENGTH, "--output", output, "--dtype", dtype)
        worst = 0.0
        for line, row in zip(map(json.loads, output.read_text().splitlines()), rows, strict=True):
            sides, length = self.tokenized(row)
            for name, (prompt, answer) in zip(("chosen", "rejected"), sides):
                with torch.no_grad():
                    truth = worlds.summed_logp(model, prompt, answer, length).item()
                worst = max(worst, abs(line[f"{name}_logp"] - truth) / max(1e-4, 1e-6 * len(answer)))
        return worst

    def gradients(self, rows):
        """The worst relative difference of a parameter's gradient of SimPO over the rows, and its name."""
        output = self.work / "moments"
        run(self.binary, "train", "--objective", "simpo", "--beta", 2, "--gamma", 1.6, "--model", self.folder, "--data",
            write_pairs(self.work / "few.json", rows), "--output_dir", output, "--max_length", LENGTH, "--learning_rate", 0,
            "--max_grad_norm", 0, "--per_device_train_batch_size", len(rows), "--gradient_accumulation_steps", 1, "--max_steps", 1,
            "--save_strategy", "steps", "--save_steps", 1)
        moments = load_file(output / "checkpoint-1" / "optimizer.safetensors")
        model = worlds.open_model(self.folder).double()
        for row in rows:
            (w, l), length = self.tokenized(row)
            pair = types.SimpleNamespace(s_w=worlds.summed_logp(model, *w, length), n_w=len(w[1]),
                                         s_l=worlds.summed_logp(model, *l, length), n_l=len(l[1]))
            (train_parity.simpo(pair) / len(rows)).backward()
        worst = (0.0, "")
        parameters = worlds.text_parameters(model)
        largest = max(parameter.grad.norm() for _, parameter in parameters)
        for name, parameter in parameters:
            ours = moments[f"{name}.exp_avg"].double() / 0.1
            norm = parameter.grad.norm()
            # The bias of keys without rotary embedding has the gradient 0, but for rounding.
            worst = max(worst, (((ours - parameter.grad).norm() / (norm if norm > 1e-6 * largest else largest)).item(), name))
        return worst

    def answers(self, model, rows):
        """How many of the answers differ where transformers' choice is clear, and the smallest gap among all."""
        file = self.work / "prompts.jsonl"
        # Some end shortly before the length from which other rotary factors count, some are far beyond it.
        lengths = (LONG_FROM - NEW_TOKENS // 2, 40, LENGTH - NEW_TOKENS)
        ids = [self.tokenizer(" ".join(turn["content"] for turn in row[0] + [row[1]])).input_ids[:lengths[i % 3]] for i, row in enumerate(rows)]
        texts = [self.tokenizer.decode(tokens, skip_special_tokens=True) for tokens in ids]
        file.write_text("".join(json.dumps({"prompt": text}) + "\n" for text in texts))
        lines = run(self.binary, "generate", "--model", self.folder, "--prompts", file, "--max_new_tokens", NEW_TOKENS,
                    "--chat_template", "false", "--temperature", 0, "--batch_size", 3).splitlines()
        different, smallest = 0, float("inf")
        for line, text in zip(map(json.loads, lines), texts, strict=True):
            tokens = torch.tensor([self.tokenizer(text).input_ids])
            result = model.generate(tokens, attention_mask=torch.ones_like(tokens), do_sample=False, max_new_tokens=NEW_TOKENS,
                                    pad_token_id=0, return_dict_in_generate=True, output_logits=True)
            top = torch.stack(result.logits)[:, 0].topk(2).values
            gap = (top[:, 0] - top[:, 1]).min().item()
            smallest = min(smallest, gap)
            expected = self.tokenizer.decode(result.sequences[0, tokens.shape[1]:], skip_special_tokens=True)
            different += line["output"] != expected and gap > 1e-4
        return different, smallest

    def train(self):
        """Worst loss of twenty steps of lmpo and of sft, whether they go as PyTorch's, and the worst score of the folders that they wrote."""
        losses, good, worst = [], True, 0.0
        rows = [row for row in self.rows if len(worlds.tokenize(self.tokenizer, row[0], row[1], LENGTH)[0]) < TRAIN_LENGTH // 2]
        for objective in (train_parity.Lmpo("ema"), train_parity.Sft()):
            here = self.work / objective.name
            here.mkdir()
            loss, ok = train_parity.compare(self.binary, objective, self.folder, self.tokenizer, rows, here, self.dtype)
            checkpoint_roundtrip.open_strictly(here / "out", allowed=())
            worst = max(worst, self.score(here / "out", worlds.open_model(here / "out"), rows[:10]))
            losses.append(loss)
            good &= ok
        return losses, good, worst


def compare(binary, name, tokenizer, rows, work):
    one = Comparison(binary, name, tokenizer, rows, work)
    model = worlds.open_model(one.folder)
    worst = one.score(one.folder, model, rows[:100])
    slope, parameter = one.gradients(rows[:3])
    different, gap = one.answers(model, rows[:PROMPTS])
    (lmpo, sft), trained, written = one.train()
    good = worst <= 1 and slope <= 1e-4 and different == 0 and trained and written <= 1
    print(f"| `{name}` | {worst:.2f} | {slope:.1e} | {lmpo:.1e} | {sft:.1e} | {different or 'none'} | {written:.2f} | {parameter}, smallest gap "
          f"{gap:.1e}: {'ok' if good else 'WRONG'}", flush=True)
    return good


def compare_bfloat16(binary, name, tokenizer, rows, work):
    one = Comparison(binary, name, tokenizer, rows, work, "bfloat16")
    short = sorted(rows, key=lambda row: one.tokenized(row)[1])[:100]
    worst = one.score(one.folder, worlds.open_model(one.folder), short)
    rounded = one.score(one.folder, worlds.open_model(one.folder, "bfloat16"), short, "bfloat16")
    good = worst <= 1 and rounded <= 1
    trained = ""
    if name in TRAINED_IN_BFLOAT16:
        (lmpo, sft), ok, written = one.train()
        good &= ok and written <= 1
        trained = f"{lmpo:.1e} | {sft:.1e} | {written:.2f} | "
    print(f"| `{name}` | {worst:.2f} | {rounded:.2f} | {trained}{'ok' if good else 'WRONG'}", flush=True)
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--only", nargs="*", default=list(make_families.VARIANTS), choices=list(make_families.VARIANTS), metavar="NAME")
    parser.add_argument("--bfloat16", action="store_true")
    arguments = parser.parse_args()
    logging.disable_progress_bar()
    tokenizer = worlds.make_tokenizer(arguments.data, VOCABULARY)
    rows = [row for row in worlds.read_pairs(arguments.data / "dpo_en_demo.json")
            if len(worlds.tokenize(tokenizer, row[0], row[1], LENGTH)[0]) < LENGTH // 2]
    good = True
    for name in arguments.only:
        with tempfile.TemporaryDirectory() as work:
            try:
                good &= (compare_bfloat16 if arguments.bfloat16 else compare)(arguments.binary.resolve(), name, tokenizer, rows, pathlib.Path(work))
            except (AssertionError, subprocess.CalledProcessError) as error:
                good = False
                print(f"{name}: {error}\n{getattr(error, 'stderr', '')}", flush=True)
    raise SystemExit(0 if good else 1)


if __name__ == "__main__":
    main()
