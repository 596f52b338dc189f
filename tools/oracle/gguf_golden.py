"""GGUF files written by llama.cpp's gguf package: golden values for src/io.

    tools/oracle/setup && build/oracle/bin/python tools/oracle/gguf_golden.py

writes into src/io/testdata:
  types.gguf                  three blocks of every type that lmpo reads, of random bytes with finite scales, and beside each
                              (NAME.floats) what gguf.quants.dequantize makes of it; keys of every type of values
  parts-0000N-of-00002.gguf   two tensors in two files, as gguf-split writes them
"""
import pathlib

import gguf
import numpy as np

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "src/io/testdata"
TYPES = ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"]
# Where the float16 scales lie in a block.
SCALES = {"Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q2_K": [80, 82], "Q3_K": [108],
          "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}
BLOCKS = 3


def random_blocks(name, kind, generator):
    block, size = gguf.GGML_QUANT_SIZES[kind]
    if block == 1:
        values = generator.normal(size=(2, 37)).astype(np.float32)
        return values if name == "F32" else gguf.quants.quantize(values, kind)
    data = generator.integers(0, 256, size=(BLOCKS, size), dtype=np.uint8)
    for at in SCALES[name]:
        data[:, at:at + 2] = generator.normal(scale=0.01, size=(BLOCKS, 1)).astype(np.float16).view(np.uint8)
    return data


def write_types(generator):
    writer = gguf.GGUFWriter(FOLDER / "types.gguf", "llama")
    for name, add, value in (("u8", writer.add_uint8, 200), ("i8", writer.add_int8, -100), ("u16", writer.add_uint16, 60000),
                             ("i16", writer.add_int16, -30000), ("u32", writer.add_uint32, 4000000000),
                             ("i32", writer.add_int32, -2000000000), ("f32", writer.add_float32, 0.1),
                             ("bool", writer.add_bool, True), ("text", writer.add_string, "h\u00e9"),
                             ("u64", writer.add_uint64, 1 << 40), ("i64", writer.add_int64, -(1 << 40)),
                             ("f64", writer.add_float64, 0.1), ("numbers", writer.add_array, [-1, 2]),
                             ("reals", writer.add_array, [0.25, -0.5]), ("truths", writer.add_array, [True, False]),
                             ("texts", writer.add_array, ["", "a b"])):
        add(name, value)
    for name in TYPES:
        kind = gguf.GGMLQuantizationType[name]
        data = random_blocks(name, kind, generator)
        writer.add_tensor(name, data, raw_dtype=kind)
        writer.add_tensor(f"{name}.floats", gguf.quants.dequantize(data, kind).astype(np.float32))
    close(writer)


def write_parts():
    writer = gguf.GGUFWriter(FOLDER / "parts.gguf", "llama", split_max_tensors=1)
    writer.add_uint32("llama.block_count", 7)
    writer.add_tensor("a", np.arange(6, dtype=np.float32).reshape(2, 3))
    writer.add_tensor("b", np.arange(4, dtype=np.float32))
    close(writer)


def close(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


write_types(np.random.default_rng(0))
write_parts()
print(*(f"{path.name}: {path.stat().st_size} bytes" for path in sorted(FOLDER.glob("*.gguf"))), sep="\n")
