"""Compares `lmpo tokenize` with Hugging Face `tokenizers` on every text of DATA.

    tools/oracle/setup && build/oracle/bin/python tools/oracle/tokenizers_compare.py [--data DATA] [options] [MODEL_FOLDER...]

Without model folders it trains, in a temporary folder: the tokenizers and variants of tokenizers_golden.py again, with larger vocabularies;
the parts of the families in tokenizers_rebuilt.py over them; and unigram models with sentencepiece's NFKC table, as T5 and XLM-RoBERTa have
them, and with bytes for unknown characters. For each it compares the ids of every text, the ids of every text cut at random places (so that words are broken and special
tokens occur anywhere), and the decoded text. Prints differences; exits with 1 if there are any.
"""
import argparse
import io
import json
import pathlib
import random
import shlex
import subprocess
import sys
import tempfile
import time

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

import tokenizers_golden as golden
import tokenizers_rebuilt as rebuilt


def run(command, folder, values, *flags):
    text = "".join(json.dumps(value) + "\n" for value in values)
    done = subprocess.run([*command, "--model", str(folder), *flags], input=text.encode(), capture_output=True)
    if done.returncode != 0:
        sys.exit(f"{shlex.join(done.args)} failed: {done.stderr.decode()}")
    return [json.loads(line) for line in done.stdout.decode().split("\n") if line]


def pieces(texts, names, seed):
    """Beginnings, ends and middles of the texts, joined by names of added tokens and odd characters."""
    source = random.Random(seed)
    joints = names + ["", " ", "  ", "\n", "\r\n", "\u00a0", "\u3000", "▁", "é", "😀", "1", "'s", "中文"]
    for _ in range(len(texts) // 2):
        parts = []
        for _ in range(source.randrange(1, 4)):
            text = source.choice(texts)
            begin = source.randrange(len(text) + 1)
            parts += [text[begin:begin + source.randrange(60)], source.choice(joints)]
        yield "".join(parts)


def report(what, text, wanted, got):
    print(f"  {what} of {text[:200]!r}:\n    wanted {str(wanted)[:300]}\n    got    {str(got)[:300]}")


def compare(name, folder, texts, options):
    oracle = Tokenizer.from_file(str(folder / "tokenizer.json"))
    names = [token.content for token in oracle.get_added_tokens_decoder().values()]
    texts = texts + list(pieces(texts, names, options.seed))
    begin = time.monotonic()
    wanted = [encoding.ids for encoding in oracle.encode_batch(texts)]
    wrong = 0
    for text, ids, got in zip(texts, wanted, run(options.command, folder, texts), strict=True):
        if got["ids"] != ids:
            wrong += 1
            if wrong <= options.show:
                report("ids", text, ids, got["ids"])
    for skip in [False, True] if options.skip_special_tokens else [False]:
        decoded = oracle.decode_batch(wanted, skip_special_tokens=skip)
        flags = ["--decode"] + (["--skip_special_tokens"] if skip else [])
        for text, plain, got in zip(texts, decoded, run(options.command, folder, wanted, *flags), strict=True):
            if got["text"] != plain:
                wrong += 1
                if wrong <= options.show:
                    report("decoding", text, plain, got["text"])
    tokens = sum(map(len, wanted))
    print(f"{name}: {len(texts)} texts, {tokens} tokens, {wrong} differences ({time.monotonic() - begin:.1f} s)")
    return wrong


def unigram(texts, size, fallback):
    """As T5's and XLM-RoBERTa's; with bytes for unknown characters as newer ones have it."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(["a b c d e f g h"] * 20), model_writer=model, vocab_size=12, minloglevel=2)
    table = sentencepiece_model_pb2.ModelProto.FromString(model.getvalue()).normalizer_spec.precompiled_charsmap
    tokenizer = Tokenizer(models.Unigram([("<unk>", 0.0)], unk_id=0, byte_fallback=fallback))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Precompiled(table), normalizers.Replace("  ", " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    special = ["<unk>", "<s>", "</s>"]
    tokenizer.train_from_iterator(texts, trainers.UnigramTrainer(vocab_size=size, unk_token="<unk>", special_tokens=special, show_progress=False))
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 1))
    content = json.loads(tokenizer.to_str())
    if fallback:
        content["model"]["byte_fallback"] = True
        content["model"]["vocab"] += [[f"<0x{byte:02X}>", 0.0] for byte in range(256)]
        content["decoder"] = {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, content["decoder"]]}
    return Tokenizer.from_str(json.dumps(content))


def trained(texts, sizes):
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            contents = {name: train(texts, size) for name, train in golden.TRAINED.items()}
            for name, base, patch in golden.variants():
                path = pathlib.Path(folder) / "tokenizer.json"
                golden.open_patched(contents[base], patch).save(str(path))
                yield f"{name}, {size}", path.parent
            for name, _, _, base, parts in rebuilt.FAMILIES:
                path.write_text(json.dumps({**contents[base], **parts}))
                yield f"parts of {name}, {size}", path.parent
            for fallback in [False, True]:
                unigram(texts, size, fallback).save(str(path))
                yield f"unigram{', bytes' if fallback else ''}, {size}", path.parent


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=pathlib.Path)
    parser.add_argument("--command", type=shlex.split, default=[str(golden.ROOT / "build/release/bin/lmpo"), "tokenize"])
    parser.add_argument("--data", type=pathlib.Path, default=golden.ROOT / "../shared/data")
    parser.add_argument("--sizes", type=int, nargs="*", default=[8192])
    parser.add_argument("--skip_special_tokens", action="store_true", help="for a command that knows this flag: decode with it too")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=int, default=3)
    options = parser.parse_args()
    texts = list(golden.corpus(options.data))
    folders = [(str(folder), folder) for folder in options.folders] or trained(texts, options.sizes)
    if sum(compare(name, folder, texts, options) for name, folder in folders):
        sys.exit(1)


if __name__ == "__main__":
    main()
