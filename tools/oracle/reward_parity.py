"""Compares `lmpo pair --reward_model` with transformers' sequence classification in float32, on real pairs.

    build/oracle/bin/python tools/oracle/reward_parity.py build/release/bin/lmpo DATA

Two random models: a Llama whose padding token ends every conversation, and a Mistral with a short window. Both responses of each pair
are samples of its prompt. Scores are within a few units of zero; a difference of 1e-4 is allowed.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile

import torch
from transformers import (LlamaConfig, LlamaForSequenceClassification, MistralConfig,
                          MistralForSequenceClassification)

import worlds

ROWS, ALLOWED = 256, 1e-4


def make_model(family, tokenizer, folder):
    sizes = dict(vocab_size=16384, hidden_size=256, intermediate_size=688, num_hidden_layers=4, num_attention_heads=8,
                 num_key_value_heads=4, max_position_embeddings=4096, initializer_range=0.06, num_labels=1,
                 bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, attn_implementation="eager")
    torch.manual_seed(1)
    if family == "llama":
        model = LlamaForSequenceClassification(LlamaConfig(**sizes, pad_token_id=tokenizer.eos_token_id))
    else:
        model = MistralForSequenceClassification(MistralConfig(**sizes, sliding_window=100, pad_token_id=None))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return model.eval()


def compare(binary, family, model, tokenizer, rows, folder):
    samples, pairs = folder / "samples.jsonl", folder / "pairs.jsonl"
    samples.write_text("".join(json.dumps({"prompt": prompt, "responses": [a["content"], b["content"]]}) + "\n"
                               for prompt, a, b in rows))
    subprocess.run([binary, "pair", "--samples", samples, "--reward_model", folder, "--output", pairs,
                    "--per_device_eval_batch_size", "4"], check=True)
    lines = [json.loads(line) for line in pairs.read_text().splitlines()]
    assert len(lines) == len(rows), f"{len(lines)} pairs of {len(rows)} prompts"
    worst, swapped, spread = 0.0, 0, []
    for line, (prompt, a, b) in zip(lines, rows):
        assert line["prompt"] == prompt, line
        truth = {}
        for message in (a, b):
            ids = tokenizer.apply_chat_template(prompt + [message], return_dict=False)
            with torch.no_grad():
                truth[message["content"]] = model(torch.tensor([ids])).logits.item()
        for side in ("chosen", "rejected"):
            worst = max(worst, abs(line[f"score_{side}"] - truth[line[side][0]["content"]]))
        swapped += line["chosen"][0]["content"] != max(truth, key=truth.get)
        spread += truth.values()
    print(f"{family}: {2 * len(rows)} responses, rewards with a deviation of {torch.tensor(spread).std():.2f}, worst "
          f"difference {worst:.1e}, {swapped} pairs the other way round: "
          f"{'ok' if worst <= ALLOWED and swapped == 0 else 'WRONG'}", flush=True)
    return worst <= ALLOWED and swapped == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path)
    arguments = parser.parse_args()
    tokenizer = worlds.make_tokenizer(arguments.data, 16384)
    rows = list(worlds.read_pairs(arguments.data / "dpo_en_demo.json"))[:ROWS]
    good = True
    for family in ("llama", "mistral"):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            model = make_model(family, tokenizer, folder)
            good &= compare(arguments.binary, family, model, tokenizer, rows, folder)
    raise SystemExit(0 if good else 1)


main()
