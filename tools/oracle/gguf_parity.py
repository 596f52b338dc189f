"""Reads GGUF files written by `lmpo export` with llama.cpp's gguf package, and compares `lmpo merge` with numpy.

    build/oracle/bin/python tools/oracle/gguf_parity.py build/release/bin/lmpo

Random models (Llama with llama3 scaling in bfloat16, Mistral in float32) of each type: tensors have the names of gguf's own
map and equal gguf's quantization of the source bit for bit; special tokens, merges and chat template equal what gguf's
SpecialVocab reads from the folder. Also trains a sentencepiece model and derives a tokenizer from it: the scores in the file
must give the same pieces as sentencepiece and tokenizers. Exits with 1 if anything differs.
"""
import argparse
import json
import pathlib
import random
import subprocess
import tempfile

import gguf
import numpy as np
import sentencepiece
from tokenizers import Tokenizer

SOURCE = pathlib.Path(__file__).resolve().parents[2]
TYPES = {"f32": gguf.GGMLQuantizationType.F32, "f16": gguf.GGMLQuantizationType.F16,
         "bf16": gguf.GGMLQuantizationType.BF16, "q8_0": gguf.GGMLQuantizationType.Q8_0}
SIZES = dict(vocab_size=400, hidden_size=96, intermediate_size=160, num_hidden_layers=3, num_attention_heads=6,
             num_key_value_heads=2, max_position_embeddings=256, rms_norm_eps=1e-5, tie_word_embeddings=False,
             bos_token_id=0, eos_token_id=1, initializer_range=0.3)
LLAMA3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=64)
CONFIGS = {"llama3": SIZES | dict(model_type="llama", architectures=["LlamaForCausalLM"], rope_theta=5e5,
                                  rope_scaling=LLAMA3),
           "mistral": SIZES | dict(model_type="mistral", architectures=["MistralForCausalLM"], head_dim=32,
                                   sliding_window=None)}


def lmpo(binary, *words):
    result = subprocess.run([binary, *map(str, words)], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stderr


def read_floats(folder: pathlib.Path):
    """Tensors of a model.safetensors, by hand: numpy has no bfloat16."""
    data = (folder / "model.safetensors").read_bytes()
    length = int.from_bytes(data[:8], "little")
    tensors = {}
    for name, entry in json.loads(data[8:8 + length]).items():
        if name != "__metadata__":
            begin, end = (8 + length + offset for offset in entry["data_offsets"])
            raw = data[begin:end]
            values = (np.frombuffer(raw, np.float32) if entry["dtype"] == "F32" else
                      (np.frombuffer(raw, np.uint16).astype(np.uint32) << 16).view(np.float32))
            tensors[name] = values.reshape(entry["shape"])
    return tensors


def in_pairs(matrix, heads):
    """Rows of each head from halves to pairs."""
    rows, width = matrix.shape
    return matrix.reshape(heads, 2, rows // heads // 2, width).swapaxes(1, 2).reshape(rows, width)


def llama3_divisors(config):
    size = config.get("head_dim", config["hidden_size"] // config["num_attention_heads"])
    scaling = config["rope_scaling"]
    wavelengths = 2 * np.pi * config["rope_theta"] ** (np.arange(0, size, 2) / size)
    context, low, high = (scaling["original_max_position_embeddings"], scaling["low_freq_factor"],
                          scaling["high_freq_factor"])
    smooth = np.clip((context / wavelengths - low) / (high - low), 0, 1)
    return 1 / ((1 - smooth) / scaling["factor"] + smooth)


def check_tensors(reader, source, config, kind):
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config["num_hidden_layers"])
    found = {tensor.name: tensor for tensor in reader.tensors}
    for name, values in source.items():
        tensor = found.pop(names.get_name(name, try_suffixes=(".weight",)))
        if name.endswith("q_proj.weight"):
            values = in_pairs(values, config["num_attention_heads"])
        elif name.endswith("k_proj.weight"):
            values = in_pairs(values, config["num_key_value_heads"])
        stored = TYPES["f32"] if values.ndim == 1 else kind
        assert tensor.tensor_type == stored, f"{name}: {tensor.tensor_type}"
        assert list(tensor.shape) == list(reversed(values.shape)), name
        expected = gguf.quants.quantize(np.ascontiguousarray(values), stored)
        assert tensor.data.tobytes() == expected.tobytes(), f"{name}: differs as {kind.name}"
    worst = 0.0
    if "rope_scaling" in config:
        divisors = llama3_divisors(config)
        worst = np.max(np.abs(found.pop("rope_freqs.weight").data / divisors - 1))
        assert worst < 1e-5, worst
    assert not found, f"unknown tensors {list(found)}"
    return worst


def check_vocabulary(reader, folder, config):
    def value(key):
        field = reader.get_field(key)
        return None if field is None else field.contents()
    byte_level = value("tokenizer.ggml.model") == "gpt2"
    special = gguf.SpecialVocab(folder, load_merges=byte_level, n_vocab=config["vocab_size"])
    names = {"bos": "bos", "eos": "eos", "unk": "unknown", "pad": "padding"}
    for kind, identity in special.special_token_ids.items():
        assert value(f"tokenizer.ggml.{names[kind]}_token_id") == identity, kind
    for kind, added in special.add_special_token.items():
        assert kind not in ("bos", "eos") or value(f"tokenizer.ggml.add_{kind}_token") == added, kind
    assert value("tokenizer.ggml.merges") == (special.merges if byte_level else None)
    assert value("tokenizer.chat_template") == special.chat_template
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokens = value("tokenizer.ggml.tokens")
    assert len(tokens) == config["vocab_size"]
    for identity, token in enumerate(tokens):
        assert token == (tokenizer.id_to_token(identity) or f"[PAD{identity}]"), identity


def check_models(binary, work):
    for family, config in CONFIGS.items():
        file, folder = work / f"{family}.json", work / family
        file.write_text(json.dumps(config))
        texts = SOURCE / "src/data/testdata" / family
        lmpo(binary, "init", "--config", file, "--tokenizer", texts, folder, "--dtype",
             "bfloat16" if family == "llama3" else "float32")
        source = read_floats(folder)
        for name, kind in TYPES.items():
            out = work / f"{family}-{name}.gguf"
            lmpo(binary, "export", folder, "--format", "gguf", "--type", name, "--output", out)
            reader = gguf.GGUFReader(out)
            worst = check_tensors(reader, source, config, kind)
            check_vocabulary(reader, folder, config)
            print(f"{family} as {name}: {len(reader.tensors)} tensors equal; rope_freqs within {worst:.1e}", flush=True)


def derive_tokenizer(model):
    """tokenizer.json's content from sentencepiece pieces, as transformers derives it: every cut of a piece into two pieces
    is a merge, in the order of the pieces' scores."""
    vocabulary = {model.id_to_piece(i): i for i in range(model.get_piece_size())}
    scores = {piece: model.get_score(i) for piece, i in vocabulary.items()}
    normal = {p for p, i in vocabulary.items() if not (model.is_control(i) or model.is_byte(i) or model.is_unknown(i))}
    merges = [(p[:k], p[k:]) for p in normal for k in range(1, len(p)) if p[:k] in normal and p[k:] in normal]
    merges.sort(key=lambda m: (-scores[m[0] + m[1]], vocabulary[m[0]], vocabulary[m[1]]))
    space = "\u2581"
    added = [{"id": i, "content": model.id_to_piece(i), "single_word": False, "lstrip": False, "rstrip": False,
              "normalized": False, "special": True} for i in range(3)]
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
            "normalizer": {"type": "Sequence", "normalizers": [
                {"type": "Prepend", "prepend": space},
                {"type": "Replace", "pattern": {"String": " "}, "content": space}]},
            "pre_tokenizer": None, "post_processor": None,
            "decoder": {"type": "Sequence", "decoders": [
                {"type": "Replace", "pattern": {"String": space}, "content": " "}, {"type": "ByteFallback"},
                {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
            "model": {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None,
                      "end_of_word_suffix": None, "fuse_unk": True, "byte_fallback": True, "ignore_merges": False,
                      "vocab": vocabulary, "merges": [list(merge) for merge in merges]}}


def pieces_by_score(text, tokens, scores):
    """What llama.cpp's tokenizer "llama" does: join the neighbours whose token scores best, the leftmost of equals."""
    score = dict(zip(tokens, scores))
    symbols = list("\u2581" + text.replace(" ", "\u2581"))
    while True:
        pairs = [(-score[a + b], i) for i, (a, b) in enumerate(zip(symbols, symbols[1:])) if a + b in score]
        if not pairs:
            return symbols
        _, at = min(pairs)
        symbols[at:at + 2] = [symbols[at] + symbols[at + 1]]


def check_scores(binary, work):
    folder, corpus = work / "pieces", work / "corpus.txt"
    folder.mkdir()
    words = [word for path in sorted(SOURCE.glob("docs/*.md")) for word in path.read_text().split() if word.isalpha()]
    random.seed(0)
    lines = [" ".join(random.choices(words, k=12)) for _ in range(4000)]
    corpus.write_text("\n".join(lines))
    sentencepiece.SentencePieceTrainer.train(
        input=str(corpus), model_prefix=str(folder / "sp"), vocab_size=1200, model_type="bpe", byte_fallback=True,
        normalization_rule_name="identity", character_coverage=1.0, minloglevel=2)
    model = sentencepiece.SentencePieceProcessor(model_file=str(folder / "sp.model"))
    (folder / "tokenizer.json").write_text(json.dumps(derive_tokenizer(model)))
    (folder / "tokenizer_config.json").write_text(json.dumps({"bos_token": "<s>", "eos_token": "</s>",
                                                              "unk_token": "<unk>"}))
    config = work / "pieces.json"
    config.write_text(json.dumps(CONFIGS["mistral"] | {"vocab_size": 1200}))
    lmpo(binary, "init", "--config", config, "--tokenizer", folder, work / "pieces-model")
    said = lmpo(binary, "export", work / "pieces-model", "--format", "gguf", "--output", work / "pieces.gguf")
    assert "not those of a sentencepiece model" not in said, said
    reader = gguf.GGUFReader(work / "pieces.gguf")
    tokens, scores, kinds = (reader.get_field(f"tokenizer.ggml.{key}").contents()
                             for key in ("tokens", "scores", "token_type"))
    expected = [2 if model.is_unknown(i) else 3 if model.is_control(i) else 6 if model.is_byte(i) else 1
                for i in range(1200)]
    assert kinds == expected
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    for line in lines[:400]:
        pieces = pieces_by_score(line, tokens, scores)
        assert pieces == model.encode(line, out_type=str) == tokenizer.encode(line).tokens, line
    print("sentencepiece: 1200 tokens of the same kinds; 400 lines cut alike by scores, sentencepiece and tokenizers")


def check_merges(binary, work):
    folders = [work / f"seed{seed}" for seed in range(3)]
    for seed, folder in enumerate(folders):
        lmpo(binary, "init", "--config", work / "mistral.json", "--tokenizer", work / "mistral", "--seed", seed, folder)
    sources = [read_floats(folder) for folder in folders]
    for weights in ([1 / 3] * 3, [0.2, 0.3, 0.5], [-0.5, 1.25, 0.25]):
        out = work / f"merged{weights[0]}"
        lmpo(binary, "merge", *folders, "--weights", *weights, "--output", out)
        merged = read_floats(out)
        for name, values in merged.items():
            total = sum(weight * source[name].astype(np.float64) for weight, source in zip(weights, sources))
            assert values.tobytes() == total.astype(np.float32).tobytes(), name
    print("merge: three models, three sets of weights, equal to numpy bit for bit")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    binary = parser.parse_args().binary.resolve()
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        check_models(binary, work)
        check_scores(binary, work)
        check_merges(binary, work)


main()
