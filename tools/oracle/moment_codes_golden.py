"""Golden values for src/ops/cpu/moment_codes_test.cpp: 8-bit moments, by bitsandbytes.

    tools/oracle/setup && build/oracle/bin/pip install bitsandbytes==0.50.2
    build/oracle/bin/python tools/oracle/moment_codes_golden.py

Writes src/ops/testdata/moment_codes.json: the 256 values of its signed and unsigned dynamic maps, and, for blocks of numbers over many
decades, their largest magnitude and their codes.
"""
import json
import pathlib

import bitsandbytes.functional as functional
import torch

OUT = pathlib.Path(__file__).resolve().parents[2] / "src/ops/testdata/moment_codes.json"


def block(values, code):
    codes, state = functional.quantize_blockwise(values, code=code, blocksize=256)
    return {"x": values.tolist(), "codes": codes.tolist(), "scale": state.absmax.item()}


def main():
    generator = torch.Generator().manual_seed(5)
    maps = {"either": functional.create_dynamic_map(True), "positive": functional.create_dynamic_map(False)}
    golden = {}
    for name, code in maps.items():
        blocks = []
        for decades in (0, 2, 5, 9):
            x = torch.randn(256, generator=generator) * 10.0 ** (-decades * torch.rand(256, generator=generator))
            blocks.append(block(x if name == "either" else x * x, code))
        golden[name] = {"values": code.tolist(), "blocks": blocks}
    OUT.write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
