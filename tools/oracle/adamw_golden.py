"""Golden values for src/ops/optimizer_test.cpp: AdamW by torch in float32.

    tools/oracle/setup && build/oracle/bin/python tools/oracle/adamw_golden.py

Writes src/ops/testdata/adamw.json: for each setting the initial weights, the gradients of five steps, and the weights and both moments
after each. Gradients include zeros, tiny and large numbers.
"""
import json
import pathlib

import torch

OUT = pathlib.Path(__file__).resolve().parents[2] / "src/ops/testdata/adamw.json"
SETTINGS = [
    dict(lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0),
    dict(lr=5e-7, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1),
    dict(lr=3e-2, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.3),
    dict(lr=1e-2, betas=(0.3, 0.5), eps=1e-8, weight_decay=0.0),
]


def case(setting, generator):
    weight = torch.nn.Parameter(torch.randn(24, generator=generator))
    start = weight.tolist()
    optimizer = torch.optim.AdamW([weight], foreach=False, fused=False, **setting)
    steps = []
    for _ in range(5):
        gradient = torch.randn(24, generator=generator) * 10.0 ** torch.linspace(-12, 3, 24)
        gradient[::7] = 0.0
        weight.grad = gradient.clone()
        optimizer.step()
        state = optimizer.state[weight]
        steps.append(dict(gradient=gradient.tolist(), weight=weight.tolist(), moment1=state["exp_avg"].tolist(),
                          moment2=state["exp_avg_sq"].tolist()))
    return dict(setting, weight=start, steps=steps)


def main():
    generator = torch.Generator().manual_seed(3)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps([case(setting, generator) for setting in SETTINGS]) + "\n")


if __name__ == "__main__":
    main()
