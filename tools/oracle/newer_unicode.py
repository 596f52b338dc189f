"""Writes the rows of src/text/newer_unicode.cpp: characters of Unicode 16 that Unicode 14 lacks, with general category and script.

    tools/oracle/setup && build/oracle/bin/python tools/oracle/newer_unicode.py

Python 3.11, PCRE2 10.42 and Debian's Oniguruma 6.9.8 have Unicode 14; tiktoken 0.14 and the Oniguruma of tokenizers 0.23.3, which is
asked here, have Unicode 16. Scripts that Unicode 14 does not have are left out: patterns that name them are refused.
"""
import unicodedata

from tokenizers import Regex, pre_tokenizers

CATEGORIES = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cf".split()
# Of those to which newer characters belong.
SCRIPTS = ("Latin Cyrillic Arabic Han Devanagari Kannada Telugu Lao Balinese Khojki Egyptian_Hieroglyphs Hiragana Katakana Nandinagari Myanmar Khitan_Small_Script "
           "Common Inherited").split()

assert unicodedata.unidata_version == "14.0.0"
TEXT = "".join(chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) == "Cn")


def members(name):
    tool = pre_tokenizers.Split(Regex(rf"\p{{{name}}}+"), "removed", invert=True)
    return {character for word, _ in tool.pre_tokenize_str(TEXT) for character in word}


category = {character: name for name in CATEGORIES for character in members(name)}
script = {character: name for name in SCRIPTS for character in members(name)}
rows = []
for character in sorted(category):
    code, kind = ord(character), (category[character], script.get(character, ""))
    if rows and rows[-1][1] == code - 1 and rows[-1][2] == kind:
        rows[-1][1] = code
    else:
        rows.append([code, code, kind])
print(", ".join(f'{{0x{first:X}, 0x{last:X}, "{kind}", "{name}"}}' for first, last, (kind, name) in rows))
