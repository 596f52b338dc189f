"""Golden files for src/parquet/parquet_test.cpp, written by pyarrow.

    tools/oracle/setup && build/oracle/bin/python tools/oracle/parquet_golden.py

In src/parquet/testdata, each with its rows in a .jsonl without null keys:
    pairs_*.parquet       the same rows with every compression and several encodings, in two row groups
    types.parquet         every Arrow type for what JSON can express, and some for what it cannot
    bad_utf8.parquet      three rows; the text of the second is not UTF-8 (no .jsonl)
    other_columns.parquet columns that lmpo does not know (no .jsonl)
    no_rows.parquet       columns without rows (no .jsonl)
"""
import datetime
import decimal
import json
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

ROOT = pathlib.Path(__file__).resolve().parents[2] / "src/parquet/testdata"

MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string()), ("name", pa.string())]))
PAIRS = pa.schema([
    ("prompt", pa.string()),
    ("embedding", pa.list_(pa.float32())),  # never asked for
    ("chosen", MESSAGES),
    ("rejected", MESSAGES),
    ("system", pa.string()),
    ("scores", pa.list_(pa.float64())),
    ("label", pa.bool_()),
])


def pair(number):
    def answer(text):
        turns = [{"role": "user", "content": f"What is {number} + {number}?"}, {"role": "assistant", "content": text}]
        if number % 3 == 0:
            turns.insert(0, {"role": "system", "content": "Zähle 🧮 genau.", "name": "teacher"})
        return turns

    row = {
        "prompt": f"What is {number} + {number}?",
        "embedding": [number / 4.0] * 8,
        "chosen": answer(f"It is {2 * number}."),
        "rejected": answer("I think " * (40 if number == 5 else number) + f"it is {2 * number + 1}."),
        "scores": [0.1 * number, 2.0],
        "label": number % 2 == 0,
    }
    if number % 4 != 1:
        row["system"] = "" if number == 2 else "Be brief.\n"
    if number == 4:
        row.update(scores=[], chosen=None, label=None)
    if number == 6:
        row.update(rejected=[None, {"role": "assistant", "content": None}], scores=[None, 1.5])
    return row


def without_nulls(value):
    """As lmpo gives it: a key whose value is null is left out, a null in a list stays."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def write_rows(name, rows):
    lines = [json.dumps(without_nulls(row), ensure_ascii=False) + "\n" for row in rows]
    (ROOT / name).write_text("".join(lines))


def write_pairs():
    rows = [pair(number) for number in range(10)]
    write_rows("pairs.jsonl", [{key: row[key] for key in row if key != "embedding"} for row in rows])
    table = pa.Table.from_pylist(rows, PAIRS)
    common = {"row_group_size": 6, "write_page_checksum": True, "write_statistics": False}
    for codec in ("snappy", "gzip", "brotli", "zstd", "lz4"):
        pq.write_table(table, ROOT / f"pairs_{codec}.parquet", compression=codec, **common)
    pq.write_table(table, ROOT / "pairs_plain.parquet", compression="none", use_dictionary=False, **common)
    pq.write_table(table, ROOT / "pairs_delta.parquet", compression="zstd", use_dictionary=False,
                   data_page_version="2.0", store_schema=False,
                   column_encoding={"prompt": "DELTA_BYTE_ARRAY", "system": "DELTA_LENGTH_BYTE_ARRAY",
                                    "scores.list.element": "BYTE_STREAM_SPLIT"}, **common)


def write_types():
    moment = datetime.datetime(2024, 5, 1, 12, 30)
    columns = {  # name: type, three values, the same as lmpo gives them
        "large_text": (pa.large_string(), ["a", None, "ü"], None),
        "text_view": (pa.string_view(), ["in the view", None, "longer than the twelve bytes of a view"], None),
        "word": (pa.dictionary(pa.int32(), pa.string()), ["again", "once", "again"], None),
        "bytes": (pa.binary(), [b"bytes", b"", None], ["bytes", "", None]),
        "large_list": (pa.large_list(pa.int8()), [[1, -2], [], None], None),
        "pair": (pa.list_(pa.int16(), 2), [[1, 2], [3, 4], [5, 6]], None),
        "map": (pa.map_(pa.string(), pa.int32()), [[("a", 1)], [], None], [[{"key": "a", "value": 1}], [], None]),
        "deep": (pa.struct([("list", pa.list_(pa.struct([("x", pa.uint8()), ("words", pa.list_(pa.string()))])))]),
                 [{"list": [{"x": 255, "words": ["one", None]}, None]}, {"list": None}, None], None),
        "u64": (pa.uint64(), [2**64 - 1, 0, None], None),
        "i64": (pa.int64(), [-2**63, 2**63 - 1, 0], None),
        "u32": (pa.uint32(), [2**32 - 1, 0, 1], None),
        "u16": (pa.uint16(), [2**16 - 1, 0, 1], None),
        "half": (pa.float16(), [0.5, -2.0, None], None),
        "single": (pa.float32(), [0.5, float("nan"), float("inf")], [0.5, None, None]),
        "nothing": (pa.null(), [None, None, None], None),
        "moment": (pa.timestamp("ms"), [moment, None, None], ["2024-05-01 12:30:00.000", None, None]),
        "day": (pa.date32(), [moment.date(), None, None], ["2024-05-01", None, None]),
        "price": (pa.decimal128(6, 2), [decimal.Decimal("1.50"), None, None], ["1.50", None, None]),
    }
    table = pa.table({name: pa.array(values, kind) for name, (kind, values, _) in columns.items()})
    pq.write_table(table, ROOT / "types.parquet", compression="zstd", write_statistics=False)
    write_rows("types.jsonl", [{name: (given or values)[row] for name, (_, values, given) in columns.items()}
                               for row in range(3)])


def write_others():
    text = pa.array([b"good", b"\xe9t\xe9", b"good again"]).view(pa.string())
    pq.write_table(pa.table({"text": text}), ROOT / "bad_utf8.parquet", write_statistics=False)
    columns = {"promt": ["a"], "chosen_response": ["b"], "id": [1]}
    pq.write_table(pa.table(columns), ROOT / "other_columns.parquet", write_statistics=False)
    pq.write_table(PAIRS.empty_table(), ROOT / "no_rows.parquet")
    # A few hundred bytes that are 512 rows of 3 MB each: one text in the dictionary.
    large = pa.DictionaryArray.from_arrays(pa.array([0] * 512, pa.int32()), pa.array(["a" * 3_000_000]))
    pq.write_table(pa.table({"prompt": large}), ROOT / "bomb.parquet", compression="zstd", write_statistics=False,
                   store_schema=False)


ROOT.mkdir(exist_ok=True)
write_pairs()
write_types()
write_others()
