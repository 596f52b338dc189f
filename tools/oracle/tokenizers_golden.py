"""Golden values for src/text: small tokenizers, and the results of Hugging Face `tokenizers` on difficult texts.

    tools/oracle/setup && build/oracle/bin/python tools/oracle/tokenizers_golden.py [DATA]

Trains byte-pair encodings of a few hundred tokens on the texts of DATA and writes into src/text/testdata/: NAME.json, the trained
tokenizers; texts.json, the texts; golden.json, for each variant (a trained tokenizer with a JSON merge patch, RFC 7386) the ids of
every text and their decoded text.
"""
import copy
import json
import pathlib
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "src/text/testdata"

LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")
TEKKEN = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
          r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
          r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
CL100K = (r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
          r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s")

TEXTS = [
    "", " ", "a", "Hello, world!", " Hello  world ", "The quick brown fox jumps over the lazy dog.",
    "I'm sure they've said it's WE'LL and DON'T, you'd SAY'S", "it\u2019s \u2018quoted\u2019 \u017f '\u017f",
    "0 12 123 1234 12345 1234567890 3.14159 1,000,000 ½ Ⅷ ٣٤٥ 一二", "a1b22c333d4444",
    "  two\n\n three   \n\n\n   four\t\ttab \t \n", "line\r\nline\r\n\r\nend\r", "\n", "\r\n", " \n ", "x \n", "    ",
    "trailing   ", "   leading", "no\u00a0break\u2003em\u3000ideographic\u202fnarrow\u180emongolian\u200bzero\u2028ls\u0085nel",
    "你好,世界。今天天气很好!", "日本語のテキスト、カタカナとひらがな", "한국어 문장입니다.",
    "😀 😃😄 👩‍👩‍👧‍👦 🇩🇪🇫🇷 👍🏽", "e\u0301 é \u0041\u030a Å \u1e9b\u0323 ﬁ ① ㎏ \uac00 \u1100\u1161",
    "ą́ ḿ̃ क्षत्रिय தமிழ்", "שלום עולם (abc) مرحبا بالعالم \u202eright\u202c", "Привет, мир! Ёжик",
    "a\u0000b\u0001c\u007fd", "\ufffd \ufeffbom", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𐐷 \U0010ffff",
    "if (x == 0) {\n    return foo[bar]->baz(\"q\\n\");\n}\n", "<html><body class=\"a\">&amp;</body></html>",
    "https://example.com/a_b-c?d=e&f=%20#g user@example.com", "___ --- *** ... ?!?! $100 €5 £3 50% #tag @me ~`^|\\",
    "snake_case camelCase PascalCase UPPER lower", "▁▁ ▁a a▁b", "<0x41> <0xE4>", "Ġword Ċ Ã©",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "ababababababababababababababababab", "thethethethethe",
    "<s>Hello</s>", "<s> Hello </s> world<unk>!", " <s>  a", "a<s><s>b</s></s>", "<s", "<<s>>",
    "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi there<|eot_id|>", "<|eot_id|> \n<|eot_id|>x",
    "left   <left>   left", "right   <right>   right", "both \n <both>\t both<both> ", "<left><right> <left> <right>",
    "word <word> aword wordword word, word_ (word)", "éword wordé word\u0301", "norm norm\u00e9 Norm [norm] x[norm]y",
    "longtoken longtok longtokenlong long", "What is 2+2? It's 4.", "Sure! Here are 3 steps:\n1. First\n2. Second\n\n- a\n- b\n",
]
INVALID = ["ff", "61ff62", "c3", "e28220", "e282", "f09f98", "eda080", "c0af", "f5808080", "61e2828262f0908d", "c3a9c3", "8080"]


def corpus(data):
    """The texts of the shared data sets, as one would feed them: every string of every row."""
    def strings(value):
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            for inner in value.values():
                yield from strings(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from strings(inner)

    for path in sorted(pathlib.Path(data).iterdir()):
        if path.suffix == ".json":
            yield from strings(json.loads(path.read_text()))
        elif path.suffix == ".jsonl":
            for line in path.read_text().splitlines():
                yield from strings(json.loads(line))
        elif path.suffix == ".txt":
            yield from path.read_text().split("\n\n")


def special(*contents, **options):
    return [AddedToken(content, special=True, normalized=False, **options) for content in contents]


def extra_tokens():
    return [AddedToken("<left>", lstrip=True, normalized=False), AddedToken("<right>", rstrip=True, normalized=False),
            AddedToken("<both>", lstrip=True, rstrip=True, normalized=False, special=True),
            AddedToken("word", single_word=True, normalized=False), AddedToken("[norm]", normalized=True),
            AddedToken("longtok", normalized=False), AddedToken("longtoken", normalized=False)]


def bos(token, identifier):
    return processors.TemplateProcessing(single=f"{token} $A", pair=f"{token} $A {token} $B",
                                         special_tokens=[(token, identifier)])


def byte_level(texts, size, split, specials):
    tokenizer = Tokenizer(models.BPE(ignore_merges=bool(split)))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(split), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    ]) if split else pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=size, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.add_special_tokens(special(*specials))
    tokenizer.add_tokens(extra_tokens())
    return tokenizer


def llama3(texts, size):
    names = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
    tokenizer = byte_level(texts, size, LLAMA3, names)
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False), bos(names[0], tokenizer.token_to_id(names[0]))])
    content = json.loads(tokenizer.to_str())
    # Some tokens that only ignore_merges can find.
    content["model"]["merges"] = [pair for i, pair in enumerate(content["model"]["merges"]) if i % 9 != 8 or i < 100]
    return content


def gpt2(texts, size):
    content = json.loads(byte_level(texts, size, None, ["<|endoftext|>"]).to_str())
    content["model"]["merges"] = [" ".join(pair) for pair in content["model"]["merges"]]
    return content


def llama2(texts, size):
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    # Trained on words, used without a pre-tokenizer, as the real one.
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=size, show_progress=False, limit_alphabet=120,
        special_tokens=["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]))
    content = json.loads(tokenizer.to_str())
    content["pre_tokenizer"] = None
    content["added_tokens"] = content["added_tokens"][:3]
    content["decoder"] = json.loads(decoders.Sequence([
        decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)
    ]).__getstate__())
    tokenizer = Tokenizer.from_str(json.dumps(content))
    tokenizer.add_tokens(extra_tokens())
    tokenizer.post_processor = bos("<s>", 1)
    return json.loads(tokenizer.to_str())


TRAINED = {"llama3": llama3, "gpt2": gpt2, "llama2": llama2}


def split(pattern, behavior, invert=False, kind="Regex"):
    return {"type": "Split", "pattern": {kind: pattern}, "behavior": behavior, "invert": invert}


def sequence(*steps):
    return {"type": "Sequence", "pretokenizers": list(steps)}


BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}


def metaspace(scheme, cut):
    return {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": cut}


def normal(*steps):
    return {"type": "Sequence", "normalizers": list(steps)}


def variants():
    """(name, trained tokenizer, patch)"""
    for name in TRAINED:
        yield name, name, {}
    yield "gpt2 with a space before", "gpt2", {"pre_tokenizer": dict(BYTES, add_prefix_space=True, use_regex=True)}
    yield "tekken", "gpt2", {"pre_tokenizer": sequence(split(TEKKEN, "Isolated"), BYTES)}
    yield "cl100k", "gpt2", {"pre_tokenizer": sequence(split(CL100K, "Isolated"), BYTES)}
    yield "mistral", "llama2", {"normalizer": None, "pre_tokenizer": metaspace("first", False)}
    yield "mistral, older", "llama2", {
        "normalizer": None, "decoder": {"type": "Metaspace", "replacement": "▁", "add_prefix_space": True},
        "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "add_prefix_space": True}}
    yield "metaspace, never", "llama2", {
        "normalizer": normal({"type": "NFC"}), "decoder": metaspace("never", True), "pre_tokenizer": metaspace("never", True)}
    yield "first after changes", "llama2", {
        "normalizer": normal({"type": "Prepend", "prepend": "ab"}, {"type": "Replace", "pattern": {"String": "a"}, "content": ""},
                             {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "}),
        "pre_tokenizer": sequence(split("b", "Isolated", kind="String"), metaspace("first", True))}
    yield "unknown, fused", "llama2", {"model": {"byte_fallback": False}, "decoder": None}
    yield "unknown, each", "llama2", {"model": {"byte_fallback": False, "fuse_unk": False}, "post_processor": None}
    yield "digits and NFKC", "gpt2", {
        "normalizer": {"type": "NFKC"}, "pre_tokenizer": sequence({"type": "Digits", "individual_digits": True}, BYTES)}
    yield "digits together and NFD", "gpt2", {
        "normalizer": {"type": "NFD"}, "pre_tokenizer": sequence({"type": "Digits", "individual_digits": False}, BYTES)}
    yield "punctuation", "gpt2", {
        "normalizer": {"type": "NFKD"},
        "pre_tokenizer": sequence({"type": "WhitespaceSplit"}, {"type": "Punctuation", "behavior": "Isolated"}, BYTES)}
    yield "whitespace", "gpt2", {"pre_tokenizer": sequence({"type": "Whitespace"}, BYTES)}
    yield "with previous", "gpt2", {"pre_tokenizer": sequence(split(r"[aeo\s]", "MergedWithPrevious"), BYTES)}
    yield "with next", "gpt2", {"pre_tokenizer": sequence(split(r"[aeo\s]", "MergedWithNext"), BYTES)}
    yield "contiguous", "gpt2", {"pre_tokenizer": sequence(split(r"[aeo\s]", "Contiguous"), BYTES)}
    yield "removed, inverted", "gpt2", {"pre_tokenizer": sequence(split(r"\w+|\d", "Removed", True), BYTES)}
    yield "empty matches", "gpt2", {"pre_tokenizer": sequence(split(r"\b|\h*", "MergedWithPrevious"), BYTES)}
    yield "own decoder", "llama2", {"decoder": {"type": "Sequence", "decoders": [
        {"type": "ByteFallback"}, {"type": "Replace", "pattern": {"Regex": "[▁_]+"}, "content": " "},
        {"type": "Strip", "content": "e", "start": 1, "stop": 0}, {"type": "Fuse"}]}}


def merge_patch(target, patch):
    if not isinstance(patch, dict):
        return patch
    target = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        else:
            target[key] = merge_patch(target.get(key), value)
    return target


def open_patched(content, patch):
    content = merge_patch(copy.deepcopy(content), patch)
    for key in ("truncation", "padding", "normalizer", "pre_tokenizer", "post_processor", "decoder"):
        content.setdefault(key, None)
    return Tokenizer.from_str(json.dumps(content))


def main():
    texts = list(corpus(sys.argv[1] if len(sys.argv) > 1 else ROOT / "../shared/data"))
    FOLDER.mkdir(parents=True, exist_ok=True)
    trained = {name: train(texts, 1000 if name != "llama2" else 1300) for name, train in TRAINED.items()}
    for name, content in trained.items():
        (FOLDER / f"{name}.json").write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n")
    # A text that is not valid UTF-8 stands for what Python's "replace" makes of it, which is what Rust makes as well.
    lines = [json.dumps({"text": text}) for text in TEXTS] + [json.dumps({"bytes": text}) for text in INVALID]
    (FOLDER / "texts.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")
    inputs = TEXTS + [bytes.fromhex(text).decode("utf-8", "replace") for text in INVALID]
    lines = []
    for name, base, patch in variants():
        tokenizer = open_patched(trained[base], patch)
        golden = {"name": name, "tokenizer": base, "patch": patch, "ids": [], "decoded": [], "decoded_without_special": []}
        for text in inputs:
            ids = tokenizer.encode(text).ids
            golden["ids"].append(ids)
            # null: the same as the text, or as with special tokens.
            decoded = tokenizer.decode(ids, skip_special_tokens=False)
            without = tokenizer.decode(ids, skip_special_tokens=True)
            golden["decoded"].append(None if decoded == text else decoded)
            golden["decoded_without_special"].append(None if without == decoded else without)
        lines.append(json.dumps(golden, ensure_ascii=False, separators=(",", ":")))
    (FOLDER / "golden.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")


if __name__ == "__main__":
    main()
