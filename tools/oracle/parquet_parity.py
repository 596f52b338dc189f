"""Compares the same rows as JSON and as Parquet written by pyarrow: `lmpo score` must write the same bytes, `lmpo train` the same losses.

    build/oracle/bin/python tools/oracle/parquet_parity.py build/release/bin/lmpo DATA
"""
import argparse
import json
import pathlib
import subprocess
import tempfile

import pyarrow as pa
import pyarrow.parquet as pq

import worlds

WRITERS = {
    "snappy": {"row_group_size": 100},
    "zstd, version 2 pages": {"compression": "zstd", "data_page_version": "2.0", "use_dictionary": False},
    "gzip, no Arrow schema": {"compression": "gzip", "store_schema": False, "row_group_size": 77},
}


def score(binary, model, data, folder):
    subprocess.run([binary, "score", "--model", model, "--data", data, "--max_length", "128",
                    "--output", folder / "scores"], check=True, capture_output=True)
    return (folder / "scores").read_bytes()


def train(objective):
    def losses(binary, model, data, folder):
        subprocess.run([binary, "train", "--objective", objective, "--model", model, "--data", data, "--max_length", "128",
                        "--max_steps", "2", "--logging_steps", "1", "--save_strategy", "no",
                        "--overwrite_output_dir", "--output_dir", folder / "out"], check=True, capture_output=True)
        return worlds.logged(folder / "out", "loss", "grad_norm")
    return losses


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path)
    arguments = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        model = folder / "model"
        worlds.make_model("llama", worlds.make_tokenizer(arguments.data, 4096), model, vocab_size=4096, hidden_size=32,
                          intermediate_size=48, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=1)
        for name, outcome in (("dpo_en_demo", score), ("instruction_preference_1100", score),
                              ("alpaca_en_demo", train("sft")), ("kto_en_demo", train("kto"))):
            source = arguments.data / f"{name}.json"
            rows = json.loads(source.read_text())
            expected = outcome(arguments.binary, model, source, folder)
            assert expected
            for kind, options in WRITERS.items():
                pq.write_table(pa.Table.from_pylist(rows), folder / "rows.parquet", **options)
                same = outcome(arguments.binary, model, folder / "rows.parquet", folder) == expected
                print(f"{name}, {kind}: {len(rows)} rows, {'the same' if same else 'DIFFERENT'}", flush=True)
                good &= same
    raise SystemExit(0 if good else 1)


main()
