"""Golden files for src/parquet/parquet_test.cpp, written by pyarrow.

    tools/oracle/setup && build/oracle/bin/python tools/oracle/parquet_golden.py

In src/parquet/testdata, each with its rows in a .jsonl without null keys:
    pairs_*.parquet       the same rows with every compression and several encodings, in two row groups
    types.parquet         every Arrow type for what JSON can express, and some for what it cannot
    bad_utf8.parquet      three rows; the text of the second is not UTF-8 (no .jsonl)
    other_columns.parquet columns that lmpo does not know (no .jsonl)
    no_rows.parquet       columns without rows (no .jsonl)
    shapes_*.parquet      random columns (lists and structs within each other, dictionaries, pages of nulls) and random rows, in
                          row groups of random sizes, some of them empty, written with random options
    large.parquet         texts of a million bytes (the test knows them; no .jsonl)
    twice.parquet         two columns of one name (no .jsonl)
"""
import datetime
import decimal
import json
import pathlib
from random import Random

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


def random_type(random, depth):
    kind = random.choice(["text", "int", "bool", "float", "word", "large", "null"] + ["list", "struct", "large_list", "map"] * (depth < 3))
    if kind in ("list", "large_list"):
        return {"list": pa.list_, "large_list": pa.large_list}[kind](random_type(random, depth + 1))
    if kind == "map":
        return pa.map_(pa.string(), random_type(random, depth + 1))
    if kind == "struct":
        return pa.struct([(f"k{i}", random_type(random, depth + 1)) for i in range(random.randint(1, 3))])
    return {"text": pa.string(), "int": pa.int32(), "bool": pa.bool_(), "float": pa.float64(), "large": pa.large_string(), "null": pa.null(),
            "word": pa.dictionary(pa.int16(), pa.string()) if depth == 0 else pa.string()}[kind]


def random_value(random, kind, nulls):
    if pa.types.is_null(kind) or random.random() < nulls:
        return None
    if pa.types.is_map(kind):
        return [(f"m{i}", random_value(random, kind.item_type, nulls)) for i in range(random.randint(0, 2))]
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return [random_value(random, kind.value_type, nulls) for _ in range(random.choice([0, 1, 2, 5]))]
    if pa.types.is_struct(kind):
        return {field.name: random_value(random, field.type, nulls) for field in kind}
    if pa.types.is_boolean(kind):
        return random.random() < 0.5
    if pa.types.is_integer(kind):
        return random.randint(-2**31, 2**31 - 1)
    if pa.types.is_floating(kind):
        return random.uniform(-1, 1)
    return random.choice(["", "a", "zwölf", "🧮" * 3, "a longer text, for a page of its own"])


def with_entries(value, kind):
    """As lmpo gives a map: a list of objects with a key and a value."""
    if value is None:
        return None
    if pa.types.is_map(kind):
        return [{"key": key, "value": with_entries(item, kind.item_type)} for key, item in value]
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return [with_entries(item, kind.value_type) for item in value]
    if pa.types.is_struct(kind):
        return {field.name: with_entries(value[field.name], field.type) for field in kind}
    return value


def write_shapes():
    for number in range(8):
        random = Random(number)
        schema = pa.schema([(f"c{i}", random_type(random, 0)) for i in range(4)])
        nulls = random.choice([0, 0.3, 0.9])
        rows = [{field.name: random_value(random, field.type, nulls) for field in schema} for _ in range(40)]
        options = {"compression": random.choice(["none", "zstd"]), "use_dictionary": random.random() < 0.5, "data_page_version": random.choice(["1.0", "2.0"]),
                   "data_page_size": random.choice([1, 64, 1 << 20]), "write_batch_size": random.choice([1, 7, 1024]), "write_statistics": False}
        with pq.ParquetWriter(ROOT / f"shapes_{number}.parquet", schema, **options) as writer:
            at = 0
            while at < len(rows):
                size = random.choice([0, 1, 9, 30])
                writer.write_table(pa.Table.from_pylist(rows[at:at + size], schema))
                at += size
            writer.write_table(schema.empty_table())
        write_rows(f"shapes_{number}.jsonl", [{field.name: with_entries(row[field.name], field.type) for field in schema} for row in rows])


def write_unusual():
    texts = ["ab" * 500_000, "", None, "é" * 500_000, "end"]
    pq.write_table(pa.table({"prompt": pa.array(texts), "chosen": pa.array([texts, None, [], texts[:1], [""]])}), ROOT / "large.parquet",
                   compression="zstd", write_statistics=False)
    pq.write_table(pa.table([["a"], ["b"], ["c"]], names=["prompt", "chosen", "prompt"]), ROOT / "twice.parquet", write_statistics=False)


ROOT.mkdir(exist_ok=True)
write_pairs()
write_types()
write_others()
write_shapes()
write_unusual()
