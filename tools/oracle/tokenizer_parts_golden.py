"""Every kind of part of a tokenizer.json over random texts, as Hugging Face `tokenizers` has it: golden values for src/text.

    tools/oracle/setup && build/oracle/bin/python tools/oracle/tokenizer_parts_golden.py [SEED [TEXTS]]

writes src/text/testdata/parts.json: for normalizers, pre-tokenizers, decoders and patterns the part and what it makes of TEXTS
random texts each (10), and for small tokenizers with every combination of an added token's switches the ids of texts.
Other seeds and more texts compare more.
"""
import itertools
import json
import pathlib
import random
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

OUT = pathlib.Path(__file__).resolve().parents[2] / "src/text/testdata/parts.json"
RANDOM = random.Random(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
TEXTS = int(sys.argv[2]) if len(sys.argv) > 2 else 10

PIECES = [" ", "  ", "\n", "\t", "\r\n", "a", "B", "ab", "é", "e\u0301", "ß", "1", "12", "½", "٣", "Ⅷ", ".", "-", "'s", "!?", "▁", "_", "中", "🙂",
          "\u00a0", "\u200b", "\u2028", "ﬁ", "İ", "ſ", "K", "\u200d", "ก", "ä", "x{2}", "$", "\u0301"]
TOKENS = ["▁a", "b", "<0xE4>", "<0xB8>", "<0xAD>", "<0xFF>", "<0x41>", "<0x4>", "Ġx", "Ã", "©", "", " ", "▁", "▁▁c", "eae", "  a ", "Ċ", "中", "Ģ"]
BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
PATTERNS = [r"\s+(?!\S)|\s+", r"\w+", r"\W+", r"[\w]", r"\d", r"\D+", r"\h", r"\H+", r"[\h_]+", r"\b", r"\Bb", r"^.", r"(?m:a.)", r".$", r"\p{L}\p{M}*", r"[^\s\p{L}\p{N}]+", r"\P{N}+",
            r"(?i:sk|k|S)", r"(?i)AB", r"a{,2}", r"1{1,2}+", r"(?:ab){1}+", r"x{2}", r"(?<=a)b", r"(?<!a)B", r"(?>a+)b", r"\x{e9}|\u0045", r"[\x41-\x43]", r"\t|\n", r"[\b\v]", r"\Aa|b\z", r"[^\n]+\Z",
            r"e\u0301", r"'(?:[sdmt]|ll)", r"[\p{Lu}\p{Lt}]", r"[^\r\n\p{L}\p{N}]?+\p{L}++", r"\.|\$|\{", r"[]a]", r"[^]a]+", r"(a)|(b)", r"\p{Han}+|\p{Thai}", r"\s", r"\S+", r"[\s\d]+"]


def texts(pieces, longest=9):
    return ["".join(RANDOM.choices(pieces, k=RANDOM.randint(0, longest))) for _ in range(TEXTS)]


def split(pattern, behavior, invert=False, kind="Regex"):
    return {"type": "Split", "pattern": {kind: pattern}, "behavior": behavior, "invert": invert}


def replace(pattern, content, kind="Regex"):
    return {"type": "Replace", "pattern": {kind: pattern}, "content": content}


def byte_level(space, regex):
    return {"type": "ByteLevel", "add_prefix_space": space, "trim_offsets": True, "use_regex": regex}


def metaspace(scheme, cut, mark="▁"):
    return {"type": "Metaspace", "replacement": mark, "prepend_scheme": scheme, "split": cut}


def sequence(key, *parts):
    return {"type": "Sequence", key: list(parts)}


NORMALIZERS = [{"type": form} for form in ("NFC", "NFD", "NFKC", "NFKD")] + [
    {"type": "Prepend", "prepend": "▁"}, replace(" ", "▁", "String"), replace("a", "", "String"), replace(r"\s+", " "), replace("^", ">"), replace(r"\p{M}", ""),
    sequence("normalizers", {"type": "NFD"}, replace(r"\p{M}", ""), {"type": "Prepend", "prepend": "ab"}), sequence("normalizers")]
PRE_TOKENIZERS = (
    [byte_level(*flags) for flags in itertools.product((False, True), repeat=2)] + [{"type": "Digits", "individual_digits": flag} for flag in (False, True)]
    + [metaspace(*flags) for flags in itertools.product(("always", "first", "never"), (False, True))] + [metaspace("always", True, "_")]
    + [{"type": "Punctuation", "behavior": behavior} for behavior in BEHAVIORS] + [{"type": "Whitespace"}, {"type": "WhitespaceSplit"}]
    + [split(pattern, behavior, invert, kind) for (pattern, kind), behavior, invert in itertools.product(
        [(r"[ae\s]", "Regex"), (r"\w*", "Regex"), ("a", "String"), (" ", "String")], BEHAVIORS, (False, True))]
    + [sequence("pretokenizers", {"type": "WhitespaceSplit"}, metaspace("first", True)), sequence("pretokenizers", split("b", "Isolated"), metaspace("first", False), byte_level(False, True)),
       sequence("pretokenizers", {"type": "Digits", "individual_digits": True}, {"type": "Punctuation", "behavior": "Contiguous"}, byte_level(True, False))])
DECODERS = [{"type": "ByteFallback"}, {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}, {"type": "Fuse"}, replace("▁", " ", "String"),
            replace("[ea]+", "-"), metaspace("always", True), metaspace("first", True), metaspace("never", True)] + [
    {"type": "Strip", "content": content, "start": start, "stop": stop} for content, start, stop in [(" ", 1, 0), (" ", 0, 1), ("e", 1, 1), (" ", 5, 5), ("▁", 1, 0)]] + [
    sequence("decoders", replace("▁", " ", "String"), {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0})]


def of_json(module, base, part):
    """The part of a tokenizer that has it, since `tokenizers` reads whole files only."""
    file = {"version": "1.0", "added_tokens": [], "model": {"type": "BPE", "vocab": {}, "merges": []}, "normalizer": None, "pre_tokenizer": None, "post_processor": None,
            "decoder": None, "truncation": None, "padding": None}
    return getattr(Tokenizer.from_str(json.dumps({**file, base: part})), base)


def decode(tool, tokens):
    try:
        return tool.decode(tokens)
    except BaseException:  # Strip panics over a token with less characters than it takes off its end
        return None


def parts():
    for part in NORMALIZERS:
        yield "normalizer", part, {text: of_json(normalizers, "normalizer", part).normalize_str(text) for text in texts(PIECES)}
    for part in PRE_TOKENIZERS:
        tool = of_json(pre_tokenizers, "pre_tokenizer", part)
        yield "pre_tokenizer", part, {text: [word for word, _ in tool.pre_tokenize_str(text)] for text in texts(PIECES) if text}
    for pattern in PATTERNS:
        tool = pre_tokenizers.Split(Regex(pattern), "removed", invert=True)
        yield "pattern", pattern, {text: [word for word, _ in tool.pre_tokenize_str(text)] for text in texts(PIECES + ["a", "b", "ab", "K", "1"], 14) if text}
    for part in DECODERS:
        tool = of_json(decoders, "decoder", part)
        lists = [RANDOM.choices(TOKENS, k=RANDOM.randint(1, 9)) for _ in range(TEXTS)]
        yield "decoder", part, {json.dumps(tokens, ensure_ascii=False): decoded for tokens in lists if (decoded := decode(tool, tokens)) is not None}


# A tokenizer of single characters, in which every piece of an added token is seen.
def character_tokenizer(fuse, fallback):
    vocab = ["?", "▁", " ", *"abcxyz[]<>_-é"] + [f"<0x{byte:02X}>" for byte in range(256)] * fallback
    tokenizer = Tokenizer(models.BPE({token: i for i, token in enumerate(vocab)}, [], unk_token="?", fuse_unk=fuse, byte_fallback=fallback))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace("y", "x")])
    for flags in itertools.product((False, True), repeat=4):
        lstrip, rstrip, single_word, normalized = flags
        name = "<" + "".join(letter if flag else "-" for letter, flag in zip("abcy", flags)) + ">"
        tokenizer.add_tokens([AddedToken(name, lstrip=lstrip, rstrip=rstrip, single_word=single_word, normalized=normalized, special=flags in ((False,) * 4, (True,) * 4))])
    return tokenizer


def tokenizers():
    for fuse, fallback in itertools.product((False, True), repeat=2):
        tokenizer = character_tokenizer(fuse, fallback)
        names = list(tokenizer.get_added_tokens_decoder().values())
        pieces = [token.content for token in names] + [" ", "  ", "\n", "a", "é", "e\u0301", "_", "-", "<", ">", "中", "🙂", "\u00a0", "y"] * 2
        yield {"tokenizer": json.loads(tokenizer.to_str()), "ids": {text: tokenizer.encode(text).ids for text in texts(pieces, 12) + texts(pieces, 12) + texts(pieces, 12)}}


def main():
    lines = [json.dumps({"kind": kind, "part": part, "cases": cases}, ensure_ascii=False) for kind, part, cases in parts()]
    lines += [json.dumps({"kind": "tokenizer", **each}, ensure_ascii=False) for each in tokenizers()]
    OUT.write_text("[\n" + ",\n".join(lines) + "\n]\n")


main()
