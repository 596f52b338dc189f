"""Golden values for src/text: small tokenizer.model files, and the results of sentencepiece and tiktoken on difficult texts.

    tools/oracle/setup && build/oracle/bin/python tools/oracle/tokenizer_model_golden.py [DATA]

Trains on the texts of DATA and writes into src/text/testdata/: sentencepiece.model; ranked.txt, the first lines of a tiktoken
vocabulary; tokenizer_model_golden.json, the ids of every text of texts.json and their decoded text. The reader of Llama 3's files
expects 128,000 tokens: `filler` supplies the rest, which no text can contain.
"""
import base64
import json
import pathlib
import sys
import tempfile

import sentencepiece
import tiktoken

import tokenizers_golden as golden
from tokenizers_real import SentencePieceReference

RANKS = 128_000
BEGIN, HEADER = 128_000, 128_006


def filler(rank):
    """Four bytes that are not UTF-8."""
    return bytes([0xFF, rank >> 16, rank >> 8 & 0xFF, rank & 0xFF])


def train_sentencepiece(texts):
    path = golden.FOLDER / "sentencepiece.model"
    with tempfile.TemporaryDirectory() as folder:
        corpus = pathlib.Path(folder) / "corpus.txt"
        corpus.write_text("\n".join(line for text in texts for line in text.splitlines() if line.strip()))
        sentencepiece.SentencePieceTrainer.train(
            input=str(corpus), model_prefix=f"{folder}/small", model_type="bpe", vocab_size=900, byte_fallback=True,
            normalization_rule_name="identity", remove_extra_whitespaces=False, split_digits=True, character_coverage=0.999,
            allow_whitespace_only_pieces=True, control_symbols=["[INST]", "[/INST]"], user_defined_symbols=["word"],
            minloglevel=2, input_sentence_size=20000)
        path.write_bytes((pathlib.Path(folder) / "small.model").read_bytes())
    return path


def train_ranks(texts):
    """Byte tokens in the order in which their pairs were merged."""
    content = json.loads(golden.byte_level(texts, 1000, golden.LLAMA3, []).to_str())
    bytes_of = {character: byte for byte, character in bytes_to_unicode().items()}
    tokens = sorted(content["model"]["vocab"].items(), key=lambda item: item[1])
    ranks = {bytes(bytes_of[c] for c in token): i for i, (token, _) in enumerate(tokens)}
    lines = [f"{base64.b64encode(token).decode()} {rank}" for token, rank in ranks.items()]
    (golden.FOLDER / "ranked.txt").write_text("\n".join(lines) + "\n")
    return ranks


def bytes_to_unicode():
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    other = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + i) for i, byte in enumerate(other)}


def main():
    texts = list(golden.corpus(sys.argv[1] if len(sys.argv) > 1 else golden.ROOT / "../shared/data"))
    inputs = golden.TEXTS + [bytes.fromhex(text).decode("utf-8", "replace") for text in golden.INVALID]
    inputs += ["[INST] Hi [/INST] there", " [INST][INST]  a", "▁[INST]▁a"]
    path = train_sentencepiece(texts)
    result = {"added_texts": inputs[-3:]}
    for name, legacy in {"first": False, "legacy": True}.items():
        reference = SentencePieceReference(path, legacy)
        result[name] = [reference.encode_special(text) for text in inputs]
    result["plain"] = [reference.encode(text) for text in inputs]
    ranks = train_ranks(texts)
    ranks |= {filler(rank): rank for rank in range(len(ranks), RANKS)}
    special = {"<|begin_of_text|>": BEGIN, "<|start_header_id|>": HEADER, "<|end_header_id|>": 128_007, "<|eot_id|>": 128_009}
    encoding = tiktoken.Encoding("small", pat_str=golden.LLAMA3, mergeable_ranks=ranks, special_tokens=special)
    result["llama3"] = [encoding.encode(text, allowed_special="all") for text in inputs]
    result["llama3_plain"] = [encoding.encode(text, disallowed_special=()) for text in inputs]
    lines = [f"{json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}" for key, value in result.items()]
    (golden.FOLDER / "tokenizer_model_golden.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
