"""Trains SimPO with TRL on a GPU, on random pairs of given lengths; prints pairs per second and peak memory, to compare with
`lmpo bench --device cuda`.

    pip install trl==1.16.0 liger-kernel==0.8.5            and torch and transformers
    tools/baselines/trl_gpu.py CONFIG.json [--pairs 2] [--accumulation 4] [--steps 6] [--checkpointing] [--no_liger]
        [--optim sgd] [--prompt_tokens 277] [--response_tokens 266] [--long_tailed]

With --long_tailed the pairs are as long as UltraFeedback's and differ in length: TRL pads each to the longest of its micro-batch.
`--write_rows FILE` writes the pairs, so `lmpo bench --data FILE` can measure the same ones.

Weights and gradients are bfloat16, and the weights are random. TRL keeps no float32 master. With --optim sgd, which has no moments, its
optimizer takes almost no time, so what remains to compare is forward and backward.
"""
import argparse
import json
import os
import random
import sys
import tempfile
import time

os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"

import datasets
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedTokenizerFast, TrainerCallback
from trl.experimental.cpo import CPOConfig, CPOTrainer

import pair_lengths


def make_tokenizer(size):
    """A word for every id, so that texts have exactly as many tokens as words."""
    words = ["<pad>", "<s>", "</s>"] + [f"w{i}" for i in range(3, size)]
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<pad>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="</s>", pad_token="<pad>", bos_token="<s>")


class Clock(TrainerCallback):
    def __init__(self, warm_up):
        self.warm_up, self.started, self.steps = warm_up, None, 0

    def on_step_end(self, arguments, state, control, **_):
        self.steps += 1
        if self.steps >= self.warm_up and torch.cuda.is_available():
            torch.cuda.synchronize()
        if self.steps == self.warm_up:
            self.started = time.time()
        self.ended = time.time()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config")
    parser.add_argument("--pairs", type=int, default=2)
    parser.add_argument("--accumulation", type=int, default=4)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--prompt_tokens", type=int, default=277)
    parser.add_argument("--response_tokens", type=int, default=266)
    parser.add_argument("--optim", default="sgd")
    parser.add_argument("--long_tailed", action="store_true")
    parser.add_argument("--max_length", type=int, default=2048, help="of long-tailed pairs")
    parser.add_argument("--write_rows", metavar="FILE")
    parser.add_argument("--checkpointing", action="store_true")
    parser.add_argument("--no_liger", action="store_true")
    arguments = parser.parse_args()
    config = LlamaConfig(**json.load(open(arguments.config)))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokenizer = make_tokenizer(config.vocab_size)
    picker = random.Random(1)

    def text(count):
        return " ".join(f"w{picker.randrange(10, config.vocab_size)}" for _ in range(count))
    count = arguments.pairs * arguments.accumulation * arguments.steps
    lengths = [(arguments.prompt_tokens, arguments.response_tokens, arguments.response_tokens)] * count
    if arguments.long_tailed:
        lengths = pair_lengths.long_tailed_pairs(count, arguments.max_length)
    if arguments.write_rows:
        with open(arguments.write_rows, "w") as file:
            pair_lengths.write_rows(file, lengths)
    # TRL adds a token at the beginning and one at the end.
    rows = [{"prompt": text(prompt - 1), "chosen": " " + text(chosen - 1), "rejected": " " + text(rejected - 1)}
            for prompt, chosen, rejected in lengths]
    torch.manual_seed(1)
    with torch.device(device):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16, attn_implementation="sdpa")
    warm_up = 2
    clock = Clock(warm_up)
    with tempfile.TemporaryDirectory() as output:
        with open(f"{output}/rows.jsonl", "w") as lines:
            lines.writelines(json.dumps(row) + "\n" for row in rows)
        trainer = CPOTrainer(
            model, train_dataset=datasets.load_dataset("json", data_files=f"{output}/rows.jsonl", split="train", cache_dir=output), processing_class=tokenizer, callbacks=[clock],
            args=CPOConfig(output_dir=output, loss_type="simpo", beta=2.0, simpo_gamma=1.0, cpo_alpha=0.0, bf16=device == "cuda",
                           per_device_train_batch_size=arguments.pairs, gradient_accumulation_steps=arguments.accumulation,
                           max_steps=arguments.steps, learning_rate=1e-6, report_to="none", save_strategy="no",
                           logging_steps=1, disable_tqdm=True, gradient_checkpointing=arguments.checkpointing,
                           optim=arguments.optim, max_length=max(p + max(c, r) for p, c, r in lengths) + 8,
                           use_liger_kernel=not arguments.no_liger, dataloader_num_workers=0))
        trainer.train()
    pairs = arguments.pairs * arguments.accumulation * (arguments.steps - warm_up)
    print(json.dumps({"pairs": arguments.pairs, "checkpointing": arguments.checkpointing, "liger": not arguments.no_liger,
                      "pairs_per_second": pairs / (clock.ended - clock.started),
                      "peak_bytes": torch.cuda.max_memory_allocated() if device == "cuda" else 0,
                      "tokens_per_pair": sum(map(sum, lengths)) / count}))


if __name__ == "__main__":
    sys.exit(main())
