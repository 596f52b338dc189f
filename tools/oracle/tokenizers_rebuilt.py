"""Shows where transformers 5 reads another tokenizer from a folder than tokenizer.json describes.

    tools/oracle/setup && build/oracle/bin/python tools/oracle/tokenizers_rebuilt.py [DATA]

transformers 4 reads a tokenizer.json whole. transformers 5 takes only the vocabulary, the merges and the post-processor of it where the
folder's tokenizer_class has a constructor of its own, and builds the other parts anew. For each family (its model_type, its
tokenizer_class, its parts, a small vocabulary) this prints the class that transformers loads, the parts that become others, and how many
texts get other ids.
"""
import json
import logging
import pathlib
import sys
import tempfile

from tokenizers import Tokenizer
from transformers import AutoTokenizer

import tokenizers_golden as golden

QWEN2 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
DEEPSEEK = golden.sequence(golden.split(r"\p{N}{1,3}", "Isolated"), golden.split("[一-龥\u3040-ゟ゠-ヿ]+", "Isolated"), golden.split(
    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+", "Isolated"), golden.BYTES)
NFC = {"type": "NFC"}
DIGITS = golden.sequence({"type": "Digits", "individual_digits": True}, dict(golden.BYTES, use_regex=True))
SPACES = golden.normal({"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"})
GEMMA = {"normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
         "pre_tokenizer": {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False},
         "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}]}}


def words(pattern):
    return golden.sequence(golden.split(pattern, "Isolated"), golden.BYTES)


# (name, model_type, tokenizer_class, vocabulary, parts)
FAMILIES = [
    ("Llama 2, TinyLlama", "llama", "LlamaTokenizer", "llama2", {"normalizer": SPACES}),
    ("Llama 3", "llama", "PreTrainedTokenizerFast", "gpt2", {"pre_tokenizer": words(golden.LLAMA3)}),
    ("Llama 3 by older fine-tunes", "llama", "LlamaTokenizer", "gpt2", {"pre_tokenizer": words(golden.LLAMA3)}),
    ("Mistral 7B v0.1", "mistral", "LlamaTokenizer", "llama2", {"normalizer": SPACES}),
    ("Mistral Nemo", "mistral", "PreTrainedTokenizerFast", "gpt2", {"pre_tokenizer": words(golden.TEKKEN)}),
    ("Qwen2.5", "qwen2", "Qwen2Tokenizer", "gpt2", {"normalizer": NFC, "pre_tokenizer": words(QWEN2)}),
    ("Qwen3", "qwen3", "Qwen2Tokenizer", "gpt2", {"normalizer": NFC, "pre_tokenizer": words(QWEN2)}),
    ("DeepSeek-R1-Distill-Qwen", "qwen2", "LlamaTokenizerFast", "gpt2", {"pre_tokenizer": DEEPSEEK}),
    ("DeepSeek-R1-Distill-Llama", "llama", "LlamaTokenizerFast", "gpt2", {"pre_tokenizer": DEEPSEEK}),
    ("Gemma 1, 2", "gemma2", "GemmaTokenizer", "llama2", {**GEMMA, "pre_tokenizer": None}),
    ("Gemma 3", "gemma3_text", "GemmaTokenizer", "llama2", GEMMA),
    ("Phi-3", "phi3", "LlamaTokenizer", "llama2", {"normalizer": SPACES}),
    ("Phi-4", "phi3", "GPT2Tokenizer", "gpt2", {"pre_tokenizer": words(golden.CL100K)}),
    ("OLMo-2, OLMo-3", "olmo2", "GPT2Tokenizer", "gpt2", {"pre_tokenizer": words(golden.CL100K)}),
    ("SmolLM2", "llama", "GPT2Tokenizer", "gpt2", {"pre_tokenizer": DIGITS}),
    ("SmolLM3", "smollm3", "PreTrainedTokenizerFast", "gpt2", {"pre_tokenizer": words(golden.LLAMA3)}),
    ("Granite 3", "granite", "GPT2Tokenizer", "gpt2", {"pre_tokenizer": DIGITS})]


def main():
    logging.disable(logging.WARNING)
    texts = golden.TEXTS + list(golden.corpus(sys.argv[1] if len(sys.argv) > 1 else golden.ROOT / "../shared/data"))[::10]
    for name, model_type, tokenizer_class, vocabulary, parts in FAMILIES:
        with tempfile.TemporaryDirectory() as temporary:
            folder = pathlib.Path(temporary)
            file = {**json.loads((golden.FOLDER / f"{vocabulary}.json").read_text()), **parts}
            (folder / "tokenizer.json").write_text(json.dumps(file))
            (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": tokenizer_class}))
            (folder / "config.json").write_text(json.dumps({"model_type": model_type}))
            loaded = AutoTokenizer.from_pretrained(folder)
            reference = Tokenizer.from_file(str(folder / "tokenizer.json"))
        changed = [part for part in ("normalizer", "pre_tokenizer", "decoder", "post_processor")
                   if json.loads(loaded.backend_tokenizer.to_str())[part] != json.loads(reference.to_str())[part]]
        different = sum(loaded(text).input_ids != reference.encode(text).ids for text in texts)
        print(f"{name} ({model_type}, {tokenizer_class}): {type(loaded).__name__}; other {', '.join(changed) or 'nothing'}; {different} of {len(texts)} texts")


if __name__ == "__main__":
    main()
