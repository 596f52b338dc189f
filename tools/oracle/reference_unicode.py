"""Writes the rows of src/text/reference_unicode.cpp, and checks that utf8proc with these rows normalizes as `tokenizers` does.

    tools/oracle/setup && build/oracle/bin/python tools/oracle/reference_unicode.py [--golden]

tokenizers has tables of several ages. Those of decompositions and combining classes are older than utf8proc's: a newer character changes
nothing and separates its neighbours. So does U+11A7, which utf8proc takes for the last part of a Hangul syllable. The tables of marks
and of punctuation are older still, those of numbers and letter cases newer. --golden writes texts for src/text/testdata/normalization.json.
"""
import ctypes
import json
import pathlib
import random
import sys

from tokenizers import normalizers, pre_tokenizers

LIBRARY = ctypes.CDLL("libutf8proc.so.2")
LIBRARY.utf8proc_map.restype = ctypes.c_ssize_t
LIBRARY.utf8proc_category_string.restype = ctypes.c_char_p
FREE = ctypes.CDLL(None).free
FREE.argtypes = [ctypes.c_void_p]
STABLE, COMPAT, COMPOSE, DECOMPOSE = 2, 4, 8, 16
FORMS = {"NFC": (normalizers.NFC(), COMPOSE), "NFD": (normalizers.NFD(), DECOMPOSE),
         "NFKC": (normalizers.NFKC(), COMPOSE | COMPAT), "NFKD": (normalizers.NFKD(), DECOMPOSE | COMPAT)}
CODES = [code for code in range(0x110000) if not 0xD800 <= code < 0xE000]
OUT = pathlib.Path(__file__).resolve().parents[2] / "src/text/testdata/normalization.json"


def map_text(text, options):
    data, out = text.encode(), ctypes.c_void_p()
    size = LIBRARY.utf8proc_map(data, ctypes.c_ssize_t(len(data)), ctypes.byref(out), options | STABLE)
    result = ctypes.string_at(out, size).decode()
    FREE(out)
    return result


def mapped(text, options, newer):
    """As src/text/normalizer.cpp does: in parts, between the newer characters."""
    result, part = [], []
    for character in text + "\0":
        if character in newer or character == "\0":
            result += [map_text("".join(part), options) if part else "", character]
            part = []
        else:
            part.append(character)
    return "".join(result)[:-1]


def newer_characters():
    found = set()
    reference, options = FORMS["NFD"]
    for code in CODES:
        character = chr(code)
        texts = [character, f"a\u0301{character}\u0327\u0301", f"a\u0345{character}\u0334", f"a{character}\u0301"]
        if any(reference.normalize_str(text) != map_text(text, options) for text in texts):
            found.add(character)
        elif FORMS["NFC"][0].normalize_str("가" + character) != map_text("가" + character, COMPOSE):
            found.add(character)
        elif FORMS["NFKD"][0].normalize_str(character) != map_text(character, FORMS["NFKD"][1]):
            found.add(character)
    # What ends a sequence that only newer tables compose.
    for code in CODES:
        parts = map_text(chr(code), DECOMPOSE)
        if len(parts) > 1 and FORMS["NFC"][0].normalize_str(parts) != map_text(parts, COMPOSE):
            found.add(parts[-1])
    return found


def texts(newer):
    source = random.Random(16)
    marks = [chr(code) for code in list(range(0x300, 0x370)) + [0x334, 0x345, 0x5B0, 0x64B, 0x94D, 0x3099, 0x20D0, 0x1D165]]
    some = sorted(newer) + marks * 3 + list("aeiouAcns가각각ᆩ한ﬁ①㍿ｱﾞÅΩéñậ\u1E9B\u0958\u212B\u2126ｶﾞ 字\U0001D15E")
    for _ in range(5000):
        yield "".join(source.choice(some) if source.random() < 0.8 else chr(source.choice(CODES)) for _ in range(source.randint(1, 12)))
    for _ in range(5000):
        yield "".join(chr(source.choice(CODES)) for _ in range(source.randint(1, 30)))


def ranges(codes):
    rows = []
    for code in sorted(codes):
        if rows and rows[-1][1] == code - 1:
            rows[-1][1] = code
        else:
            rows.append([code, code])
    return ", ".join(f"{{0x{first:X}, 0x{last:X}}}" for first, last in rows)


def differing(known, category):
    """Characters that belong to a general category for either tokenizers or utf8proc."""
    return {code for code in CODES if known(chr(code)) != LIBRARY.utf8proc_category_string(code).decode().startswith(category)
            and not (code < 0x80 and category == "P")}


def splits(tool):
    return lambda character: len(tool.pre_tokenize_str("a" + character)) == 2


def lower_cases():
    """Rows (first, last, lower case of the first) where utf8proc has another lower case."""
    rows = []
    for code in CODES:
        lower = normalizers.Lowercase().normalize_str(chr(code))
        if lower == chr(LIBRARY.utf8proc_tolower(code)) or code == 0x130:
            continue
        if rows and rows[-1][1] == code - 1 and ord(lower) - code == rows[-1][2] - rows[-1][0]:
            rows[-1][1] = code
        else:
            rows.append([code, code, ord(lower)])
    return ", ".join(f"{{0x{first:X}, 0x{last:X}, 0x{lower:X}}}" for first, last, lower in rows)


def main():
    newer = newer_characters()
    print("kAlone", ranges(map(ord, newer)))
    strip = normalizers.StripAccents()
    print("kMarks", ranges(differing(lambda character: strip.normalize_str(character) == "", "M")))
    print("kPunctuation", ranges(differing(splits(pre_tokenizers.Punctuation()), "P")))
    print("kNumbers", ranges(differing(splits(pre_tokenizers.Digits(individual_digits=True)), "N")))
    print("kLower", lower_cases())
    wrong = 0
    inputs = [chr(code) for code in CODES] + [map_text(chr(code), DECOMPOSE) for code in CODES] + list(texts(newer))
    for name, (reference, options) in FORMS.items():
        bad = [text for text in inputs if reference.normalize_str(text) != mapped(text, options, newer)]
        wrong += len(bad)
        print(name, len(bad), "differences", [[hex(ord(c)) for c in text] for text in bad[:3]], file=sys.stderr)
    if "--golden" in sys.argv:
        some = sorted(newer) + list(texts(newer))[:400]
        OUT.write_text(json.dumps([[text] + [reference.normalize_str(text) for reference, _ in FORMS.values()] for text in some]) + "\n")
    return 1 if wrong else 0


sys.exit(main())
