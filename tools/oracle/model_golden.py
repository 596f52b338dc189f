"""Golden values for src/model/model_test.cpp: losses and gradients of small random models, by PyTorch autograd.

    tools/oracle/setup && build/oracle/bin/python tools/oracle/model_golden.py

Writes src/model/testdata/NAME/{config.json,model.safetensors,golden.json,gradients.safetensors} for models that together cover
grouped keys, an explicit head size, tied embeddings, llama3 rope scaling, a sliding window shorter than the data, biases, and for
one model of each family of make_families.py, smaller still. The loss is SimPO's over a batch of pairs, computed in float64.
"""
import json
import pathlib
import random

import torch
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM

import make_families

ROOT = pathlib.Path(__file__).resolve().parents[2] / "src/model/testdata"
COMMON = dict(vocab_size=48, hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=4,
              num_key_value_heads=2, max_position_embeddings=64, bos_token_id=1, eos_token_id=2,
              attn_implementation="eager", initializer_range=0.3)
BETA, GAMMA = 2.0, 1.6
SMALL = dict(vocab_size=48, hidden_size=24, intermediate_size=40, num_hidden_layers=2, max_position_embeddings=64, bos_token_id=1,
             eos_token_id=2, initializer_range=0.3)
LONG = make_families.longrope(12, 14)  # some pairs are longer than 14 tokens, others are not
FAMILIES = {
    "qwen2_window": dict(max_window_layers=1),
    "qwen3": {},
    "gemma": {},
    "gemma2": dict(layer_types=["sliding_attention", "full_attention"]),
    "gemma3_text": dict(layer_types=["sliding_attention", "full_attention"]),
    "phi3_longrope_partial": dict(hidden_size=32, original_max_position_embeddings=14,
                                  rope_parameters=LONG | dict(partial_rotary_factor=0.75)),
    "olmo2": {},
    "olmo3": dict(layer_types=["sliding_attention", "full_attention"]),
    "smollm3": dict(no_rope_layers=[1, 0]),
    "granite": {},
    "ministral3": {},
}


def models():
    rope = {"rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0,
            "high_freq_factor": 4.0, "original_max_position_embeddings": 16}
    yield "llama", LlamaForCausalLM(LlamaConfig(**COMMON, head_dim=6, rope_parameters=rope))
    yield "llama_tied", LlamaForCausalLM(LlamaConfig(**COMMON, head_dim=6, tie_word_embeddings=True))
    yield "mistral", MistralForCausalLM(MistralConfig(**COMMON, head_dim=8, sliding_window=6))
    yield "llama_bias", with_biases(LlamaConfig(**COMMON, head_dim=6, attention_bias=True, mlp_bias=True))
    yield "llama_bias_tied", with_biases(LlamaConfig(**COMMON | {"num_hidden_layers": 1}, attention_bias=True,
                                                     tie_word_embeddings=True))
    for name, changes in FAMILIES.items():
        yield name, make_families.make(name, **SMALL | changes)


def with_biases(config):
    """A Llama whose biases are not zero, as transformers makes them."""
    model = LlamaForCausalLM(config)
    for name, parameter in model.named_parameters():
        if name.endswith(".bias"):
            torch.nn.init.normal_(parameter, std=config.initializer_range)
    return model


def pairs(rng):
    """Prompts of 4-12 tokens; responses of 1-12, some with a common beginning, the last pair's prompt repeated."""
    rows = []
    for index in range(5):
        prompt = [1] + [rng.randrange(3, 48) for _ in range(rng.randrange(3, 12))]
        shared = [rng.randrange(3, 48) for _ in range(index % 3)]
        answers = [shared + [rng.randrange(3, 48) for _ in range(rng.randrange(0, 10))] + [2] for _ in range(2)]
        rows.append({"prompt": prompt, "chosen": answers[0], "rejected": answers[1]})
    return rows


def average_logp(model, prompt, answer, length):
    """The answer's, in a sequence that padding makes `length` tokens long, where that chooses the rotary table."""
    tokens = prompt + answer
    if "longrope" in str(getattr(model.config, "rope_parameters", "")):
        tokens = tokens + [0] * (length - len(tokens))
    tokens = torch.tensor([tokens])
    logits = model(tokens).logits[0, :-1]
    logps = torch.log_softmax(logits, -1).gather(1, tokens[0, 1:, None])[:, 0]
    return logps[len(prompt) - 1:len(prompt) + len(answer) - 1].sum(), len(answer)


def simpo(model, rows):
    """The loss of the rows, differentiable, and the sums of both answers of each."""
    loss, sums = 0.0, []
    for row in rows:
        length = len(row["prompt"]) + max(len(row["chosen"]), len(row["rejected"]))
        (s_w, n_w), (s_l, n_l) = (average_logp(model, row["prompt"], row[side], length) for side in ("chosen", "rejected"))
        loss = loss - torch.nn.functional.logsigmoid(BETA * (s_w / n_w - s_l / n_l) - GAMMA) / len(rows)
        sums.append([s_w.item(), s_l.item()])
    return loss, sums


def main():
    torch.manual_seed(0)
    for name, model in models():
        folder = ROOT / name
        model.save_pretrained(folder)
        (folder / "generation_config.json").unlink(missing_ok=True)
        model = model.double()
        rows = pairs(random.Random(7))
        loss, sums = simpo(model, rows)
        loss.backward()
        gradients = {key: p.grad.float().contiguous() for key, p in model.named_parameters()}
        save_file(gradients, folder / "gradients.safetensors", metadata={"format": "pt"})
        golden = {"beta": BETA, "gamma": GAMMA, "loss": loss.item(), "rows": rows, "sums": sums}
        (folder / "golden.json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
