"""Generates with transformers and with lmpo from the same prompts, greedily; prints tokens per second and their ratio.

    build/oracle/bin/pip install torch==2.15.0 transformers==5.23.0
    build/oracle/bin/python tools/baselines/transformers_generate.py build/release/bin/lmpo DATA [--batch 16]

The random Llama of 40.4 million parameters of trl_train.py, prompts of dpo_en_demo.json of at most 512 tokens, 128 new tokens each. The
time of a run with one new token per prompt, loading included, is subtracted.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "oracle"))
import torch
import worlds
from transformers import AutoModelForCausalLM

LONGEST_PROMPT = 512


def with_transformers(model, tokenizer, prompts, batch, new_tokens):
    """Left-padded batches of prompts of similar length."""
    tokenizer.pad_token, tokenizer.padding_side = tokenizer.eos_token, "left"
    count, started = 0, time.time()
    for first in range(0, len(prompts), batch):
        inputs = tokenizer(prompts[first:first + batch], return_tensors="pt", padding=True, add_special_tokens=False)
        with torch.no_grad():
            out = model.generate(**inputs, do_sample=False, max_new_tokens=new_tokens, min_new_tokens=new_tokens,
                                 pad_token_id=tokenizer.pad_token_id)
        count += (out.shape[1] - inputs["input_ids"].shape[1]) * out.shape[0]
    return count, time.time() - started


def with_lmpo(binary, model, prompts_file, batch, new_tokens):
    started = time.time()
    result = subprocess.run([binary, "generate", "-m", model, "--prompts", prompts_file, "--batch_size", str(batch),
                             "--max_new_tokens", str(new_tokens)], check=True, capture_output=True, text=True)
    return sum(json.loads(line)["output_tokens"] for line in result.stdout.splitlines()), time.time() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--new_tokens", type=int, default=128)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        tokenizer = worlds.make_tokenizer(arguments.data, 16384)
        worlds.make_model("llama", tokenizer, work / "model", scale=0.02, hidden_size=512, intermediate_size=1408,
                          num_hidden_layers=8)
        model = AutoModelForCausalLM.from_pretrained(work / "model", dtype="float32", attn_implementation="sdpa")
        conversations = [prompt for prompt, _, _ in worlds.read_pairs(arguments.data / "dpo_en_demo.json")]
        texts = {id(c): tokenizer.apply_chat_template(c, tokenize=False, add_generation_prompt=True) for c in conversations}
        fitting = [c for c in conversations if len(tokenizer(texts[id(c)])["input_ids"]) < LONGEST_PROMPT]
        fitting = sorted(fitting[:max(4, arguments.batch * 2)], key=lambda c: len(texts[id(c)]))
        (work / "prompts.json").write_text(json.dumps(fitting))
        rates = []
        for generate in (
                lambda n: with_lmpo(arguments.binary, work / "model", work / "prompts.json", arguments.batch, n),
                lambda n: with_transformers(model, tokenizer, [texts[id(c)] for c in fitting], arguments.batch, n)):
            generate(1)
            _, short = generate(1)
            tokens, long = generate(arguments.new_tokens)
            rates.append((tokens - len(fitting)) / (long - short))
    print(f"batch {arguments.batch}, {len(fitting)} prompts: lmpo {rates[0]:.1f} tokens/s, transformers {rates[1]:.1f}, "
          f"ratio {rates[0] / rates[1]:.2f}", flush=True)


if __name__ == "__main__":
    main()
