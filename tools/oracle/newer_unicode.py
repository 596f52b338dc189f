"""Writes the rows of src/text/newer_unicode.cpp: characters of Unicode 16 that Unicode 14 lacks, with their general category.

    python3.11 -m venv build/unicode && build/unicode/bin/pip install -q unicodedata2==16.0.0
    build/unicode/bin/python tools/oracle/newer_unicode.py

Python 3.11 and PCRE2 10.42 have Unicode 14; tiktoken 0.14 and tokenizers 0.23.3 have Unicode 16.
"""
import unicodedata

import unicodedata2

assert (unicodedata.unidata_version, unicodedata2.unidata_version) == ("14.0.0", "16.0.0")
rows = []
for code in range(0x110000):
    category = unicodedata2.category(chr(code))
    if unicodedata.category(chr(code)) != "Cn" or category == "Cn":
        continue
    if rows and rows[-1][1] == code - 1 and rows[-1][2] == category:
        rows[-1][1] = code
    else:
        rows.append([code, code, category])
print(", ".join(f'{{0x{first:X}, 0x{last:X}, "{category}"}}' for first, last, category in rows))
