"""Golden files for src/io/safetensors_test.cpp, written by Python's safetensors library.

    tools/oracle/setup && build/oracle/bin/python tools/oracle/safetensors_golden.py

Element i of every tensor is i / 4 - 1 (integers: i), so the test can make the same tensors.
    src/io/testdata/readable.safetensors   the types lmpo reads and writes, with a scalar and an empty tensor
    src/io/testdata/foreign.safetensors    types lmpo lists but does not read, and more metadata
"""
import pathlib

import torch
from safetensors.torch import save_file

ROOT = pathlib.Path(__file__).resolve().parents[2] / "src/io/testdata"


def tensor(dtype, *shape):
    values = torch.arange(torch.Size(shape).numel())
    return (values / 4 - 1 if dtype.is_floating_point else values).to(dtype).reshape(shape)


def main():
    ROOT.mkdir(exist_ok=True)
    readable = {
        "b.weight": tensor(torch.float32, 3, 2),
        "a.weight": tensor(torch.bfloat16, 2, 5),
        "z.half": tensor(torch.float16, 7),
        "scalar": tensor(torch.float32),
        "empty": tensor(torch.float32, 0, 4),
        "ids": tensor(torch.int32, 3),
        "bits": tensor(torch.int16, 1, 3),
        "ä \"quoted\"": tensor(torch.float32, 1),
    }
    save_file(readable, ROOT / "readable.safetensors", metadata={"format": "pt"})
    foreign = {
        "double": tensor(torch.float64, 2),
        "long": tensor(torch.int64, 2, 2),
        "byte": tensor(torch.uint8, 5),
        "flag": torch.tensor([True, False, True]),
        "eight": tensor(torch.float8_e4m3fn, 3),
        "float": tensor(torch.float32, 2),
    }
    save_file(foreign, ROOT / "foreign.safetensors", metadata={"format": "pt", "made by": "safetensors"})


main()
