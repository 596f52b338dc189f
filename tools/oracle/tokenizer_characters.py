"""Compares `lmpo tokenize` with Hugging Face `tokenizers` on every character of Unicode, and on strings of them, for each part that asks
what a character is.

    tools/oracle/setup && build/oracle/bin/python tools/oracle/tokenizer_characters.py [--strings 20000] [--only NAME...]

A part is seen by what a tokenizer of single bytes makes of a text: a normalizer in the text that comes back, a pre-tokenizer by a mark
that Metaspace puts before each word. Prints differences; exits with 1 if there are any.
"""
import argparse
import base64
import io
import itertools
import json
import pathlib
import random
import shlex
import sys
import tempfile

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Tokenizer

import tokenizers_golden as golden
from tokenizers_compare import report, run
from tokenizers_real import characters

BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
MARK = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": False}
PATTERNS = [r"\w+", r"\d", r"\s", r"\p{L}+", r"\p{M}", r"\p{N}", r"[\p{P}\p{S}]+", r"[^\s\p{L}\p{N}]+", r"\p{Lu}|\p{Lt}", r"\p{Ll}", r"\p{Han}+", r"\p{Latin}+", r"\p{Common}", r"[\p{L}&&[^\p{Han}]]+",
            r"(?i:[k-s])", r"(?i:ss|st|fi)", r"(?i)é|ω|я"]


def nfkc_table():
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(["a b c d e f g h"] * 20), model_writer=model, vocab_size=12, minloglevel=2)
    return base64.b64encode(sentencepiece_model_pb2.ModelProto.FromString(model.getvalue()).normalizer_spec.precompiled_charsmap).decode()


def parts():
    for form in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt", "ByteLevel"):
        yield form, {"normalizer": {"type": form}}
    yield "Strip", {"normalizer": {"type": "Strip", "strip_left": True, "strip_right": True}}
    yield "Precompiled", {"normalizer": {"type": "Precompiled", "precompiled_charsmap": nfkc_table()}}
    for name, switches in {"Punctuation": {"behavior": "Isolated"}, "Digits": {"individual_digits": True}, "Whitespace": {}, "WhitespaceSplit": {}, "BertPreTokenizer": {}, "FixedLength": {"length": 3}}.items():
        yield name, {"pre_tokenizer": {"type": name, **switches}}
    for pattern in PATTERNS:
        yield pattern, {"pre_tokenizer": golden.split(pattern, "Isolated")}


def file_of(part):
    characters = [chr(code) for code in (*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100), *range(0x100, 0x144))]
    words = golden.sequence(part["pre_tokenizer"], MARK, BYTES) if "pre_tokenizer" in part else BYTES
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": part.get("normalizer"), "pre_tokenizer": words, "post_processor": None,
            "decoder": {**BYTES}, "model": {"type": "BPE", "vocab": {c: i for i, c in enumerate(characters)}, "merges": []}}


def texts(count, seed):
    codes = [code for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    for begin in range(0, len(codes), 64):
        yield "a" + "b".join(map(chr, codes[begin:begin + 64])) + "c"
    source = random.Random(seed)
    draws = characters(source)
    draws += [lambda: "".join(chr(source.choice(codes)) for _ in range(source.randint(1, 6))), lambda: chr(source.randint(0xAC00, 0xD7A3)) + chr(source.randint(0x11A0, 0x11D0)),
              lambda: chr(source.randint(0x1100, 0x1120)) + chr(source.randint(0x1160, 0x1180)), lambda: chr(source.randint(0xFF61, 0xFF9F)) + source.choice("ﾞﾟ\u3099")]
    for _ in range(count):
        yield "".join(source.choice(draws)() for _ in range(source.randint(1, 8)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", type=shlex.split, default=[str(golden.ROOT / "build/release/bin/lmpo"), "tokenize"])
    parser.add_argument("--strings", type=int, default=20_000)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    inputs = list(texts(options.strings, options.seed))
    wrong = 0
    for name, part in parts():
        if options.only and name not in options.only:
            continue
        with tempfile.TemporaryDirectory() as folder:
            file = json.dumps(file_of(part))
            (pathlib.Path(folder) / "tokenizer.json").write_text(file)
            reference = Tokenizer.from_str(file)
            wanted = [encoding.ids for encoding in reference.encode_batch(inputs)]
            got = [each["ids"] for each in run(options.command, folder, inputs)]
        different = [(text, ids, other) for text, ids, other in zip(inputs, wanted, got, strict=True) if ids != other]
        print(f"{name}: {len(inputs)} texts, {len(different)} differences")
        for text, ids, other in itertools.islice(different, 3):
            report("text", text, reference.decode(ids), reference.decode(other))
        wrong += len(different)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
