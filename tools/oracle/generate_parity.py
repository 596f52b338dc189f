"""Compares greedy `lmpo generate` with transformers' generate(do_sample=False): a random Llama and a Mistral with a short window.

    build/oracle/bin/python tools/oracle/generate_parity.py build/release/bin/lmpo DATA

Twenty prompts of DATA's pairs, as chat messages through the template and as plain text. generation_config.json names two
stop tokens that the model does produce, so some answers end early. Text, numbers of tokens and finish reasons must be equal.
Also prints the smallest distance between the two likeliest tokens, which shows how far rounding is from deciding.
"""
import argparse
import collections
import json
import pathlib
import subprocess
import tempfile

import torch

import worlds

PROMPTS, NEW_TOKENS = 20, 48
SIZES = dict(vocab_size=4096, hidden_size=128, intermediate_size=344, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=2)


def answer(model, prompt_ids, stop_ids):
    """Greedy new tokens, and the smallest gap between the first and second logit on the way."""
    tokens = torch.tensor([prompt_ids])
    result = model.generate(tokens, attention_mask=torch.ones_like(tokens), do_sample=False, max_new_tokens=NEW_TOKENS,
                            eos_token_id=stop_ids, pad_token_id=0, return_dict_in_generate=True, output_logits=True)
    top = torch.stack(result.logits)[:, 0].topk(2).values
    return result.sequences[0, len(prompt_ids):].tolist(), (top[:, 0] - top[:, 1]).min().item()


def choose_stop_ids(answers):
    """Two tokens that about a quarter of the answers hold, but not at their beginning."""
    counts = collections.Counter(token for tokens in answers for token in set(tokens[2:]) - set(tokens[:2]))
    return [token for token, _ in sorted(counts.items(), key=lambda item: abs(item[1] - len(answers) / 4))[:2]]


def compare(binary, model, tokenizer, folder, name, prompts, prompt_ids, *flags):
    free = [answer(model, ids, None)[0] for ids in prompt_ids]
    stop_ids = choose_stop_ids(free)
    model.generation_config.eos_token_id = stop_ids
    model.generation_config.save_pretrained(folder)
    file = folder / "prompts.jsonl"
    file.write_text("".join(json.dumps({"prompt": prompt}) + "\n" for prompt in prompts))
    command = [binary, "generate", "--model", folder, "--prompts", file, "--max_new_tokens", str(NEW_TOKENS), *flags]
    lines = [json.loads(line) for line in subprocess.run(command, check=True, capture_output=True).stdout.splitlines()]
    assert len(lines) == len(prompts), f"{len(lines)} lines for {len(prompts)} prompts"
    different, stopped, smallest = 0, 0, float("inf")
    for index, (line, prompt, ids) in enumerate(zip(lines, prompts, prompt_ids)):
        tokens, gap = answer(model, ids, stop_ids)
        ended = tokens[-1] in stop_ids
        expected = {"index": index, "prompt": prompt, "output": tokenizer.decode(tokens, skip_special_tokens=True),
                    "prompt_tokens": len(ids), "output_tokens": len(tokens),
                    "finish_reason": "stop" if ended else "length"}
        if line != expected:
            different += 1
            print(f"{name}: prompt {index}, smallest gap {gap:.1e}:\n  expected {expected}\n  found    {line}")
        stopped += ended
        smallest = min(smallest, gap)
    assert 0 < stopped < len(prompts), "the stop tokens do not tell answers apart"
    print(f"{name}: {len(prompts)} answers, {stopped} ended by a stop token, smallest gap {smallest:.1e}, "
          f"{different} different: {'ok' if different == 0 else 'WRONG'}", flush=True)
    return different == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path)
    arguments = parser.parse_args()
    tokenizer = worlds.make_tokenizer(arguments.data, SIZES["vocab_size"])
    messages = [prompt for prompt, _, _ in worlds.read_pairs(arguments.data / "dpo_en_demo.json")][:PROMPTS]
    texts = [prompt[-1]["content"] for prompt in messages]
    chat_ids = [tokenizer.apply_chat_template(prompt, add_generation_prompt=True, return_dict=False)
                for prompt in messages]
    text_ids = [tokenizer(text).input_ids for text in texts]
    good = True
    for family in ("llama", "mistral"):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            model = worlds.make_model(family, tokenizer, folder, **SIZES).eval()
            run = (arguments.binary, model, tokenizer, folder)
            good &= compare(*run, f"{family} chat", messages, chat_ids)
            good &= compare(*run, f"{family} text", texts, text_ids, "--chat_template", "false", "--batch_size", "3")
    raise SystemExit(0 if good else 1)


if __name__ == "__main__":
    main()
