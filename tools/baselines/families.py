"""Training speed of every family at the same shapes: useful operations a second, against Llama's.

    tools/baselines/families.py build/release/bin/lmpo [--rounds 3] [--only NAME...]

Runs `lmpo bench` of all families in turns, so that a slow moment of the machine meets them all. Needs nothing but Python.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile

SIZES = dict(hidden_size=512, intermediate_size=1408, num_hidden_layers=8, num_attention_heads=8, num_key_value_heads=4, head_dim=64,
             vocab_size=16384, max_position_embeddings=4096, tie_word_embeddings=False, rms_norm_eps=1e-6, rope_theta=10000.0,
             hidden_act="silu", bos_token_id=1, eos_token_id=2, pad_token_id=0)
GEMMA = dict(hidden_activation="gelu_pytorch_tanh", hidden_act="gelu_pytorch_tanh")
CAPS = dict(attn_logit_softcapping=50.0, final_logit_softcapping=30.0, query_pre_attn_scalar=64, sliding_window=4096)
FAMILIES = {
    "llama": {},
    "mistral": dict(sliding_window=4096),
    "ministral3": dict(rope_parameters=dict(rope_type="yarn", rope_theta=1e6, factor=16.0, original_max_position_embeddings=1024,
                                            beta_fast=32.0, beta_slow=1.0, mscale=1.0, mscale_all_dim=1.0, llama_4_scaling_beta=0.1)),
    "qwen2": {},
    "qwen3": {},
    "gemma": GEMMA,
    "gemma2": GEMMA | CAPS,
    "gemma3_text": GEMMA | dict(query_pre_attn_scalar=64, sliding_window=512),
    "phi3": dict(partial_rotary_factor=0.75),
    "olmo2": {},
    "olmo3": dict(sliding_window=4096),
    "smollm3": {},
    "granite": dict(embedding_multiplier=12.0, residual_multiplier=0.22, logits_scaling=16.0, attention_multiplier=0.015625),
}


def measure(lmpo, config):
    out = subprocess.run([lmpo, "bench", "-m", config, "--steps", "2", "--gradient_accumulation_steps", "2", "--json"],
                         capture_output=True, text=True, check=True).stdout
    return json.loads(out)


def operations_per_second(runs):
    """Useful operations over the time of all parts, each at its quickest in any of the runs: other work on the machine slows parts
    of some runs, a family's own work is in all of them."""
    directions = [[part[direction] for part in run["parts"].values() for direction in ("forward", "backward")] for run in runs]
    seconds = sum(min(times) for times in zip(*([each["seconds"] for each in run] for run in directions)))
    return sum(each["operations"] for each in directions[0]) / seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lmpo")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=list(FAMILIES))
    args = parser.parse_args()
    runs = {name: [] for name in args.only}
    with tempfile.TemporaryDirectory() as folder:
        for name in args.only:
            config = dict(model_type=name, **SIZES) | FAMILIES[name]
            (pathlib.Path(folder) / f"{name}.json").write_text(json.dumps(config))
        for _ in range(args.rounds):
            for name in args.only:
                runs[name].append(measure(args.lmpo, f"{folder}/{name}.json"))
    llama = operations_per_second(runs["llama"])
    print("| family | useful GFLOP/s | of Llama's |\n|---|---|---|")
    for name, of_family in runs.items():
        speed = operations_per_second(of_family)
        print(f"| {name} | {speed / 1e9:.0f} | {speed / llama:.1%} |")


if __name__ == "__main__":
    main()
