"""Writes the data of src/grade: python grade_data.py NLTK_DATA OUT

NLTK_DATA holds tokenizers/punkt_tab (nltk.download("punkt_tab")); langdetect is installed.
  OUT/punkt_english.txt   what nltk's English sentence splitter learnt from the Wall Street Journal (Kiss and Strunk, 2006)
  OUT/languages.zst       langdetect's 55 language profiles (Nakatani Shuyo, Apache License 2.0); src/grade/language_profiles.cpp
                          says how they are laid out
"""
import json
import pathlib
import struct
import subprocess
import sys

import langdetect
import nltk
from langdetect.utils.ngram import NGram

nltk.data.path.insert(0, sys.argv[1])
out = pathlib.Path(sys.argv[2])
LOWER, MID_UPPER, UPPER, BEGIN_LOWER = 16 + 32 + 64, 4, 2 + 4 + 8, 16  # nltk's flags of how a word was seen


def punkt():
    """Sections of lines. Words never seen in lower case are left out: they decide as unknown words do."""
    learnt = nltk.tokenize.PunktTokenizer("english")._params
    starts, other = [], []
    for word, seen in learnt.ortho_context.items():
        if not seen & LOWER:
            continue
        (other if seen & MID_UPPER else starts).append((word, not seen & UPPER and bool(seen & BEGIN_LOWER)))
    assert not any(begins for _, begins in other)
    sections = {
        "abbreviations": learnt.abbrev_types,
        "collocations": [" ".join(pair) for pair in learnt.collocations],
        "sentence starters": learnt.sent_starters,
        "begin sentences in lower case": [word for word, begins in starts if begins],
        "in capitals only where sentences begin": [word for word, begins in starts if not begins],
        "in capitals elsewhere": [word for word, _ in other],
    }
    text = "\n\n".join(f"[{name}]\n" + "\n".join(sorted(lines)) for name, lines in sections.items())
    (out / "punkt_english.txt").write_text(text + "\n", encoding="utf-8")


def varint(number):
    parts = []
    while number >= 128:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])


def languages():
    folder = pathlib.Path(langdetect.__file__).parent / "profiles"
    profiles = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.iterdir())}
    grams = {}
    for index, profile in enumerate(profiles.values()):
        for gram, count in profile["freq"].items():
            if 1 <= len(gram) <= 3:
                key = 0
                for character in gram:
                    key = key << 21 | ord(character)
                grams.setdefault(key, []).append((index, count))
    keys = sorted(grams)
    head = struct.pack("<II", len(profiles), len(keys))
    for name, profile in profiles.items():
        head += name.encode().ljust(8, b"\0") + struct.pack("<3I", *profile["n_words"])
    deltas = b"".join(varint(key - before) for before, key in zip([0, *keys], keys))
    sizes = bytes(len(grams[key]) for key in keys)
    indices = bytes(index for key in keys for index, _ in grams[key])
    counts = b"".join(varint(count) for key in keys for _, count in grams[key])
    normal = {character: group[0] for group in NGram.CJK_CLASS for character in group}
    characters = struct.pack("<I", len(normal)) + b"".join(
        struct.pack("<II", ord(character), ord(first)) for character, first in sorted(normal.items()))
    content = head + characters + deltas + sizes + indices + counts
    packed = subprocess.run(["zstd", "-19", "--ultra", "-q", "-c", f"--stream-size={len(content)}"], input=content, capture_output=True,
                            check=True).stdout
    (out / "languages.zst").write_bytes(packed)


punkt()
languages()
