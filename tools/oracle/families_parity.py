"""Every family beside transformers: scores, gradients, training, answers and written folders of small random models.

    build/oracle/bin/python tools/oracle/families_parity.py build/release/bin/lmpo DATA [--only NAME...]

For each model of make_families.py, with a tokenizer of DATA:
- log-probabilities of 200 responses: within 1e-4, or 1e-6 a token, of a float32 forward;
- the gradient of every parameter, from the first moments of a step with learning rate 0: within 1e-4 (relative) of autograd's in
  float64;
- twenty steps of lmpo and of sft: losses within 1e-5 (relative) of a PyTorch loop in float64 (train_parity.py);
- greedy answers to 20 prompts: equal, but where transformers' own first and second token are closer than 1e-4;
- the folder that training wrote: transformers opens it without a warning, and lmpo scores it as transformers does.
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
from transformers import AutoModelForCausalLM

import checkpoint_roundtrip
import make_families
import train_parity
import worlds

VOCABULARY, MAX_LENGTH, PROMPTS, NEW_TOKENS = 1024, 256, 20, 24
# Some pairs of DATA are shorter than this, others are not.
LONG_FROM = 180
train_parity.MAX_LENGTH = MAX_LENGTH
CHANGES = {
    "phi3_longrope": dict(original_max_position_embeddings=LONG_FROM, rope_parameters=make_families.longrope(12, LONG_FROM)),
    "phi3_longrope_partial": dict(original_max_position_embeddings=LONG_FROM,
                                  rope_parameters=make_families.longrope(18, LONG_FROM) | dict(partial_rotary_factor=0.75)),
}


def run(*command):
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout


def tokenized(tokenizer, row):
    """Prompt and answer of both sides, and the tokens of the longer one."""
    sides = [worlds.tokenize(tokenizer, row[0], answer, MAX_LENGTH) for answer in row[1:]]
    return sides, max(len(prompt) + len(answer) for prompt, answer in sides)


def score(binary, model, folder, tokenizer, rows, work):
    """The worst difference of a response's log-probability, in units of what is allowed."""
    pairs, output = work / "pairs.json", work / "scores.jsonl"
    pairs.write_text(json.dumps([{"prompt": p, "chosen": [c], "rejected": [r]} for p, c, r in rows]))
    run(binary, "score", "--model", folder, "--data", pairs, "--max_length", MAX_LENGTH, "--output", output)
    worst = 0.0
    for line, row in zip(map(json.loads, output.read_text().splitlines()), rows, strict=True):
        sides, length = tokenized(tokenizer, row)
        for name, (prompt, answer) in zip(("chosen", "rejected"), sides):
            with torch.no_grad():
                truth = worlds.summed_logp(model, prompt, answer, length).item()
            worst = max(worst, abs(line[f"{name}_logp"] - truth) / max(1e-4, 1e-6 * len(answer)))
    return worst


def gradients(binary, model, folder, tokenizer, rows, work):
    """The worst relative difference of a parameter's gradient of SimPO over the rows, and its name."""
    pairs, output = work / "few.json", work / "moments"
    pairs.write_text(json.dumps([{"prompt": p, "chosen": [c], "rejected": [r]} for p, c, r in rows]))
    run(binary, "train", "--objective", "simpo", "--beta", 2, "--gamma", 1.6, "--model", folder, "--data", pairs, "--output_dir", output,
        "--max_length", MAX_LENGTH, "--learning_rate", 0, "--max_grad_norm", 0, "--per_device_train_batch_size", len(rows),
        "--gradient_accumulation_steps", 1, "--max_steps", 1, "--save_strategy", "steps", "--save_steps", 1)
    moments = load_file(output / "checkpoint-1" / "optimizer.safetensors")
    model = model.double()
    losses = []
    for row in rows:
        (w, l), length = tokenized(tokenizer, row)
        pair = types.SimpleNamespace(s_w=worlds.summed_logp(model, *w, length), n_w=len(w[1]),
                                     s_l=worlds.summed_logp(model, *l, length), n_l=len(l[1]))
        losses.append(train_parity.simpo(pair))
    torch.stack(losses).mean().backward()
    worst = (0.0, "")
    for name, parameter in worlds.text_parameters(model):
        ours = moments[f"{name}.exp_avg"].double() / 0.1
        worst = max(worst, (((ours - parameter.grad).norm() / parameter.grad.norm()).item(), name))
    model.zero_grad()
    model.float()
    return worst


def answers(binary, model, folder, tokenizer, rows, work):
    """How many of the answers differ where transformers' choice is clear, and the smallest gap among all."""
    file = work / "prompts.jsonl"
    ids = [tokenizer(row[0][-1]["content"]).input_ids for row in rows]
    # Half of them end shortly before the length from which other rotary factors count.
    ids = [tokens[:LONG_FROM - NEW_TOKENS // 2] if i % 2 == 0 else tokens[:40] for i, tokens in enumerate(ids)]
    texts = [tokenizer.decode(tokens, skip_special_tokens=True) for tokens in ids]
    file.write_text("".join(json.dumps({"prompt": text}) + "\n" for text in texts))
    lines = run(binary, "generate", "--model", folder, "--prompts", file, "--max_new_tokens", NEW_TOKENS, "--chat_template", "false",
                "--temperature", 0, "--batch_size", 3).splitlines()
    different, smallest = 0, float("inf")
    for line, text in zip(map(json.loads, lines), texts, strict=True):
        tokens = torch.tensor([tokenizer(text).input_ids])
        result = model.generate(tokens, attention_mask=torch.ones_like(tokens), do_sample=False, max_new_tokens=NEW_TOKENS,
                                pad_token_id=0, return_dict_in_generate=True, output_logits=True)
        top = torch.stack(result.logits)[:, 0].topk(2).values
        gap = (top[:, 0] - top[:, 1]).min().item()
        smallest = min(smallest, gap)
        expected = tokenizer.decode(result.sequences[0, tokens.shape[1]:], skip_special_tokens=True)
        different += line["output"] != expected and gap > 1e-4
    return different, smallest


def train(binary, data, folder, tokenizer, rows, work):
    """Whether twenty steps of lmpo and of sft go as PyTorch's, and how scores of the written folder differ from transformers'."""
    good, worst = True, 0.0
    for objective in (train_parity.Lmpo("ema"), train_parity.Sft()):
        here = work / objective.name
        here.mkdir()
        good &= train_parity.compare(binary, data, objective, folder, tokenizer, rows, here)
        written, _ = checkpoint_roundtrip.open_strictly(here / "out")
        worst = max(worst, score(binary, written, here / "out", tokenizer, rows[:10], here))
    return good, worst


def compare(binary, data, name, tokenizer, rows, work):
    folder = work / name
    ids = dict(bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id)
    make_families.make(name, len(tokenizer), **ids | CHANGES.get(name, {})).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager").eval()
    worst = score(binary, model, folder, tokenizer, rows[:100], work)
    slope, parameter = gradients(binary, model, folder, tokenizer, rows[:8], work)
    different, gap = answers(binary, model, folder, tokenizer, rows[:PROMPTS], work)
    trained, written = train(binary, data, folder, tokenizer, rows, work)
    good = worst <= 1 and slope <= 1e-4 and different == 0 and trained and written <= 1
    print(f"{name}: scores {worst:.2f} of what is allowed; gradients {slope:.1e} ({parameter}); {different} answers differ, smallest gap "
          f"{gap:.1e}; written folder {written:.2f} of what is allowed: {'ok' if good else 'WRONG'}", flush=True)
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--only", nargs="*", default=list(make_families.VARIANTS), choices=list(make_families.VARIANTS), metavar="NAME")
    arguments = parser.parse_args()
    tokenizer = worlds.make_tokenizer(arguments.data, VOCABULARY)
    rows = [row for row in worlds.read_pairs(arguments.data / "dpo_en_demo.json")
            if len(worlds.tokenize(tokenizer, row[0], row[1], MAX_LENGTH)[0]) < MAX_LENGTH // 2]
    good = True
    for name in arguments.only:
        with tempfile.TemporaryDirectory() as work:
            try:
                good &= compare(arguments.binary, arguments.data, name, tokenizer, rows, pathlib.Path(work))
            except (AssertionError, subprocess.CalledProcessError) as error:
                good = False
                print(f"{name}: {error}\n{getattr(error, 'stderr', '')}", flush=True)
    raise SystemExit(0 if good else 1)


if __name__ == "__main__":
    main()
