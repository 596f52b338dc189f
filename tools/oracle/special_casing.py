"""Writes the rows of src/jinja/special_casing.cpp: characters that become several in upper case, according to Python.

    python3 tools/oracle/special_casing.py
"""


def escaped(text):
    return "".join(f"\\u{ord(c):04X}" if ord(c) > 126 else c for c in text)


rows = []
for code in range(0x110000):
    character = chr(code)
    if len(character.upper()) > 1 or len(character.title()) > 1:
        rows.append(f'{{0x{code:X}, u8"{escaped(character.upper())}", u8"{escaped(character.title())}"}}')
print(",\n".join(rows).replace('u8"', '"'))
