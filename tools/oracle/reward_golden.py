"""Golden values for src/model/reward_test.cpp: rewards of small random models, by transformers in float64.

    tools/oracle/setup && build/oracle/bin/python tools/oracle/reward_golden.py

Writes src/model/testdata/reward_NAME/{config.json,model.safetensors,golden.json} for a Llama whose padding token also ends
conversations, a Mistral without a padding token, with a sliding window shorter than the data, and models of other families: Gemma 2
caps logits, but not rewards. Several responses share a prompt; in each row one response is the beginning of another, and two are equal.
"""
import json
import pathlib
import random

import torch
from transformers import (AutoModelForSequenceClassification, LlamaConfig, LlamaForSequenceClassification, MistralConfig,
                          MistralForSequenceClassification)

import make_families
import model_golden

ROOT = pathlib.Path(__file__).resolve().parents[2] / "src/model/testdata"
COMMON = dict(vocab_size=48, hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=4,
              num_key_value_heads=2, max_position_embeddings=64, bos_token_id=1, eos_token_id=2, num_labels=1,
              attn_implementation="eager", initializer_range=0.3)
EOS = 2


def models():
    yield "reward_llama", LlamaForSequenceClassification(LlamaConfig(**COMMON, head_dim=6, pad_token_id=EOS))
    yield "reward_mistral", MistralForSequenceClassification(
        MistralConfig(**COMMON, head_dim=8, sliding_window=6, pad_token_id=None))
    for name in ("gemma2", "qwen3"):
        sizes = model_golden.SMALL | model_golden.FAMILIES[name]
        config = make_families.configuration(name, **sizes, num_labels=1, pad_token_id=EOS)
        config._attn_implementation = "eager"
        model = AutoModelForSequenceClassification.from_config(config)
        with torch.no_grad():
            make_families.randomize(model)
        yield f"reward_{name}", model


def rows(rng):
    """Prompts of 1-12 tokens with five responses of up to 15 tokens each."""
    def words(count):
        return [rng.randrange(3, 48) for _ in range(count)]
    for _ in range(5):
        prompt, answer = [1] + words(rng.randrange(0, 12)), words(6)
        yield {"prompt": prompt, "responses": [answer + [EOS], answer[:3], answer + words(9), words(5) + [EOS],
                                               answer[:3]]}


def main():
    torch.manual_seed(0)
    for name, model in models():
        folder = ROOT / name
        model.save_pretrained(folder)
        model = model.double()
        golden = list(rows(random.Random(7)))
        for row in golden:
            with torch.no_grad():
                row["rewards"] = [model(torch.tensor([row["prompt"] + answer])).logits.item()
                                  for answer in row["responses"]]
        (folder / "golden.json").write_text(json.dumps({"rows": golden}) + "\n")


main()
