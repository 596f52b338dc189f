"""Every kind of part of a tokenizer.json over random texts, as Hugging Face `tokenizers` has it: golden values for src/text.

    tools/oracle/setup && build/oracle/bin/python tools/oracle/tokenizer_parts_golden.py [SEED [TEXTS]]

writes src/text/testdata/parts.json: for normalizers, pre-tokenizers, decoders and patterns the part and what it makes of TEXTS
random texts each (10), and for small tokenizers with every combination of an added token's switches the ids of texts.
Other seeds and more texts compare more.
"""
import base64
import io
import itertools
import json
import pathlib
import random
import sys
import tempfile

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

OUT = pathlib.Path(__file__).resolve().parents[2] / "src/text/testdata/parts.json"
RANDOM = random.Random(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
TEXTS = int(sys.argv[2]) if len(sys.argv) > 2 else 10

PIECES = [" ", "  ", "\n", "\t", "\r\n", "a", "B", "ab", "é", "e\u0301", "ß", "1", "12", "½", "٣", "Ⅷ", ".", "-", "'s", "!?", "▁", "_", "中", "🙂",
          "\u00a0", "\u200b", "\u2028", "ﬁ", "İ", "ſ", "K", "\u200d", "ก", "ä", "x{2}", "$", "\u0301",
          "ss", "ẞ", "Σ", "、", "々", "カ", "\u0898", "\u061d", "\U00011de0", "\U00010d50", "가", "\u11a7", "\u11a8", "\x01", "\x7f", "\ufeff", "\u1cf2"]
# Without characters that Debian's Oniguruma does not know.
KNOWN = [piece for piece in PIECES if piece not in ("\U00011de0", "\U00010d50")]
TOKENS = ["▁a", "b", "<0xE4>", "<0xB8>", "<0xAD>", "<0xFF>", "<0x41>", "<0x4>", "Ġx", "Ã", "©", "", " ", "▁", "▁▁c", "eae", "  a ", "Ċ", "中", "Ģ", "##b", "ab</w>", "</w>c", "<pad>", "|", "n't", " .", "a|b", " do not"]
BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
PATTERNS = [r"\s+(?!\S)|\s+", r"\w+", r"\W+", r"[\w]", r"\d", r"\D+", r"\h", r"\H+", r"[\h_]+", r"\b", r"\Bb", r"^.", r"(?m:a.)", r".$", r"\p{L}\p{M}*", r"[^\s\p{L}\p{N}]+", r"\P{N}+",
            r"(?i:sk|k|S)", r"(?i)AB", r"a{,2}", r"1{1,2}+", r"(?:ab){1}+", r"x{2}", r"(?<=a)b", r"(?<!a)B", r"(?>a+)b", r"\x{e9}|\u0045", r"[\x41-\x43]", r"\t|\n", r"[\b\v]", r"\Aa|b\z", r"[^\n]+\Z",
            r"e\u0301", r"'(?:[sdmt]|ll)", r"[\p{Lu}\p{Lt}]", r"[^\r\n\p{L}\p{N}]?+\p{L}++", r"\.|\$|\{", r"[]a]", r"[^]a]+", r"(a)|(b)", r"\p{Han}+|\p{Thai}", r"\s", r"\S+", r"[\s\d]+",
            r"\p{^L}", r"\P{^Han}", r"\P{Han}+", r"[\p{Han}\p{Thai}]+", r"\p{Common}", r"(?i:[k-s]+)", r"(?i)'S|a",
            # What only Oniguruma itself can do.
            r"(a|b)\1", r"(?<x>a|b)\k<x>", r"[\w&&[^\d_]]+", r"[a-z&&[^aeiou]]", r"[\p{L}&&[^\p{Han}]]+", r"[^(\s|[.,!?])]+", r"[[:alpha:]]+", r"[[:^space:]]", r"\R", r"\X",
            r"\Ga", r"a(?i)b|c", r"(?x: a b )", r"(?~ab)", r"(a)?(?(1)b|B)", r"[\W]+", r"[^\W\d]", r"\p{Letter}", r"\pL", r"(?i:ss)", r"(?i)ß|é", r"(?i:\p{Lu})", r"(?i:[\p{Lu}]+)",
            r"\p{Alnum}+", r"\O", r"\N+", r"[\p{Lu}&&\p{Latin}]+", r"(?<c>[ab]|\(\g<c>*\))"]


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



def character_map():
    """A small table of the normalizer Precompiled: sentencepiece compiles it."""
    rules = {"a": "bb", "é": "e", "e\u0301": "É", "ﬁ": "fi", "½": "1/2", "B": "", "\x01": "", "中": "zh ", "Ⅷ": "VIII", "\u1100\u1161": "가"}
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as file:
        file.write("".join(" ".join(f"{ord(c):X}" for c in key) + "\t" + " ".join(f"{ord(c):X}" for c in value) + "\n" for key, value in rules.items()))
        file.flush()
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(["a b c d e f g h"] * 20), model_writer=model, vocab_size=12, normalization_rule_tsv=file.name, minloglevel=2)
    return base64.b64encode(sentencepiece_model_pb2.ModelProto.FromString(model.getvalue()).normalizer_spec.precompiled_charsmap).decode()


NORMALIZERS = [{"type": form} for form in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt", "ByteLevel")] + [
    {"type": "Strip", "strip_left": left, "strip_right": right} for left, right in itertools.product((False, True), repeat=2)] + [
    {"type": "Precompiled", "precompiled_charsmap": character_map()}, sequence("normalizers", {"type": "NFKD"}, {"type": "StripAccents"}, {"type": "Lowercase"}),
    {"type": "Prepend", "prepend": "▁"}, replace(" ", "▁", "String"), replace("a", "", "String"), replace(r"\s+", " "), replace("^", ">"), replace(r"\p{M}", ""),
    sequence("normalizers", {"type": "NFD"}, replace(r"\p{M}", ""), {"type": "Prepend", "prepend": "ab"}), sequence("normalizers")]
PRE_TOKENIZERS = (
    [byte_level(*flags) for flags in itertools.product((False, True), repeat=2)] + [{"type": "Digits", "individual_digits": flag} for flag in (False, True)]
    + [metaspace(*flags) for flags in itertools.product(("always", "first", "never"), (False, True))] + [metaspace("always", True, "_")]
    + [{"type": "Punctuation", "behavior": behavior} for behavior in BEHAVIORS] + [{"type": "Whitespace"}, {"type": "WhitespaceSplit"}, {"type": "BertPreTokenizer"}]
    + [{"type": "CharDelimiterSplit", "delimiter": delimiter} for delimiter in ("a", "é", " ")] + [{"type": "FixedLength", "length": length} for length in (1, 3)]
    + [split(pattern, behavior, invert, kind) for (pattern, kind), behavior, invert in itertools.product(
        [(r"[ae\s]", "Regex"), (r"\w*", "Regex"), ("a", "String"), (" ", "String")], BEHAVIORS, (False, True))]
    + [sequence("pretokenizers", {"type": "WhitespaceSplit"}, metaspace("first", True)), sequence("pretokenizers", split("b", "Isolated"), metaspace("first", False), byte_level(False, True)),
       sequence("pretokenizers", {"type": "Digits", "individual_digits": True}, {"type": "Punctuation", "behavior": "Contiguous"}, byte_level(True, False))])
DECODERS = [{"type": "ByteFallback"}, {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}, {"type": "Fuse"}, replace("▁", " ", "String"),
            replace("[ea]+", "-"), metaspace("always", True), metaspace("first", True), metaspace("never", True), {"type": "BPEDecoder", "suffix": "</w>"}] + [
    {"type": "WordPiece", "prefix": prefix, "cleanup": cleanup} for prefix, cleanup in itertools.product(("##", "b"), (False, True))] + [
    {"type": "CTC", "pad_token": pad, "word_delimiter_token": "|", "cleanup": cleanup} for pad, cleanup in itertools.product(("<pad>", "b"), (False, True))] + [
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
        yield "pattern", pattern, {text: [word for word, _ in tool.pre_tokenize_str(text)] for text in texts(KNOWN + ["a", "b", "ab", "K", "1"], 14) if text}
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


NAMES = ["<unk>", "<s>", "</s>"]
WORDS = NAMES + ["▁", "a", "b", "ab", "aba", "▁a", "▁ab", "é", "ée", "e", "\u0301", "中", "中a", "bb", "##a", "##b", "##ab", "##é", "?"]


def file_of(model, **parts):
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [
        {"id": i, "content": name, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True} for i, name in enumerate(NAMES)
    ], "normalizer": None, "pre_tokenizer": None, "post_processor": None, "decoder": None, **parts, "model": model}


def pair(name):
    return [name, NAMES.index(name)]


def models_of_words():
    """Every other kind of model, over other parts than above."""
    spaces = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True}
    ends = {"sep": pair("</s>"), "cls": pair("<s>")}
    strip = {"type": "Strip", "strip_left": True, "strip_right": True}
    for fallback, normalizer in itertools.product((False, True), (None, strip, {"type": "StripAccents"}, {"type": "Nmt"}, {"type": "NFD"}, {"type": "Lowercase"}, next(part for part in NORMALIZERS if part["type"] == "Precompiled"))):
        pieces = WORDS + [f"<0x{byte:02X}>" for byte in range(256)] * fallback
        # Scores that tie are as likely as others.
        vocab = [[piece, RANDOM.choice([-1.5, -2.0, -3.0, -3.5, RANDOM.uniform(-6, 0)])] for piece in pieces]
        yield file_of({"type": "Unigram", "unk_id": 0, "vocab": vocab, "byte_fallback": fallback}, normalizer=normalizer, pre_tokenizer=spaces if normalizer != {"type": "Nmt"} else None,
                      post_processor={"type": "RobertaProcessing", **ends, "trim_offsets": True, "add_prefix_space": True})
    vocab = {word: i for i, word in enumerate(WORDS)}
    for limit in (2, 100):
        yield file_of({"type": "WordPiece", "unk_token": "<unk>", "continuing_subword_prefix": "##", "max_input_chars_per_word": limit, "vocab": vocab},
                      pre_tokenizer={"type": "BertPreTokenizer"}, post_processor={"type": "BertProcessing", **ends})
    yield file_of({"type": "WordLevel", "unk_token": "?", "vocab": vocab}, pre_tokenizer={"type": "WhitespaceSplit"})


def tokenizers():
    for file in models_of_words():
        tokenizer = Tokenizer.from_str(json.dumps(file))
        pieces = WORDS + ["a", "b", "é", "e\u0301", " ", " ", "\n", "🙂", "A", "中", "\u200b", "\x01"]
        yield {"tokenizer": file, "ids": {text: tokenizer.encode(text).ids for text in texts(pieces, 12) + texts(pieces, 12) + texts(pieces, 12)}}
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
