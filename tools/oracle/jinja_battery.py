"""Generates many templates (every filter, test, method and operator over many values) and renders them with jinja2 in
transformers' sandbox.

    tools/oracle/setup && build/oracle/bin/python tools/oracle/jinja_battery.py [FILE]

Writes some of them to src/jinja/testdata/battery.json, or all of them to FILE, in the format of golden.json. Every filter, test and
method of src/jinja must be rendered by at least LEAST of them, or the script fails and names it. Of 27,867
templates 27,572 were equal (jinja2 3.1.6, transformers 5.23). The others are of the kinds in KNOWN and not in the test's data:
lmpo refuses them by name though jinja2 renders them (sets, `pprint`, `!a`, the code of objects), or renders them though Python
refuses them (unhashable keys, values that are not text given to a text filter).
"""
import copy
import itertools
import json
import pathlib
import re
import sys

from transformers.utils.chat_template_utils import _compile_jinja_template

OUT = pathlib.Path(__file__).resolve().parents[2] / "src/jinja/testdata/battery.json"
VARIABLES = {
    "text": "  Hello, World of hello  ", "words": ["pear", "Apple", "fig", "apple"], "numbers": [3, 1, 2],
    "mixed": {"b": 1, "a": [True, None, 1.0], "c": {"d": "e"}}, "zero": 0, "empty": [], "none": None, "line": "a\nb\n\nc",
    "chat": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yo "}, {"role": "user", "content": " Bye"}],
    "unicode": "ünï ☕ É", "yes": True, "no": False, "half": 2.5, "seven": 7, "nothing": "", "nodict": {},
}
VALUES = ["text", "words", "numbers", "mixed", "zero", "empty", "none", "line", "chat", "unicode", "yes", "no", "half", "seven",
          "nothing", "nodict", "missing", "-7", "'12'", "'3.5'", "'abc'", "(1, 2)", "range(3)", "mixed.items()", "mixed.keys()",
          "numbers|select('odd')", "['a', 'B']", "[[1, 2], [3]]", "1e20", "'%s-%d'", "'{}-{:>4}'", "namespace(a=1)", "dict", "'<b>'"]
FILTERS = ["abs", "attr('role')", "attr('items')", "batch(2)|list", "batch(3, 'x')|list", "capitalize", "center(9)", "count", "d('x')",
           "default('x', true)", "dictsort", "dictsort(reverse=true)", "first", "float", "float(1.5)", "format('a', 2)", "format(1)",
           "groupby('role')", "indent", "indent(2, true)", "int", "int(5)", "items|list", "join", "join('-')", "last", "length", "list",
           "lower", "map('upper')|list", "map(attribute='role')|list", "max", "min", "reject|list", "reject('odd')|list",
           "rejectattr('role')|list", "replace('a', 'b')", "replace('l', '', 1)", "reverse", "reverse|list", "round", "round(1)",
           "select|list", "select('string')|list", "selectattr('role', 'eq', 'user')|list", "selectattr('role')|list|length", "slice(2)|list",
           "slice(3, 'x')|list", "sort", "sort(reverse=true)", "sort(attribute='content')", "string", "sum", "sum(start=1)", "title", "tojson",
           "tojson(indent=1)", "tojson(ensure_ascii=true)", "tojson(separators=(',', ':'))", "tojson(indent='\t', sort_keys=true)",
           "tojson(indent=2, separators=(';', '='))", "trim", "trim('a b')", "truncate(5)", "truncate(9, true)", "truncate(9, false, '>', 0)",
           "unique|list", "upper", "wordcount", "select", "map('upper')", "string|length", "safe", "first|string", "list|first",
           "nofilter", "pprint", "select|first", "map('length')|sum", "select is iterable", "list|length"]
TESTS = ["defined", "undefined", "none", "string", "mapping", "sequence", "iterable", "number", "integer", "float", "boolean", "true", "false",
         "callable", "sameas none", "eq 7", "ne 7", "lt 3", "gt 3", "ge 3", "le 3", "in numbers", "in text", "odd", "even", "divisibleby 2",
         "lower", "upper", "filter", "test", "escaped", "not none", "notest", "in mixed"]
METHODS = ["strip()", "lstrip(' H')", "rstrip('o ')", "split()", "split('l')", "split(',', 1)", "split(none, 1)", "rsplit(none, 1)",
           "rsplit('l', 1)", "splitlines()", "splitlines(true)", "upper()", "lower()", "title()", "capitalize()", "swapcase()", "count('l')",
           "count('l', 4)", "count('')", "find('l')", "find('l', 5)", "find('l', -9, -2)", "rfind('l')", "index('l')", "rindex('l')",
           "startswith('  H')", "startswith('H', 2)", "endswith(('x', ' '))", "replace('l', 'L')", "replace('l', 'L', 2)", "partition('l')",
           "rpartition('l')", "partition('zz')", "rpartition('zz')", "center(30, '*')", "ljust(30, '.')", "rjust(30)", "zfill(30)", "isalpha()",
           "isalnum()", "isdigit()", "isspace()", "islower()", "isupper()", "isascii()", "isnumeric()", "isdecimal()", "join(words)",
           "join('ab')", "removeprefix('  ')", "removesuffix('  ')", "format('a', 2)", "format()", "items()", "keys()|list", "values()|list",
           "get('b')", "get('z', 1)", "copy()", "index(1)", "count(1)", "append(1)", "pop()", "update(a=1)", "clear()", "role", "b", "0", "a",
           "__class__", "_x", "nothing_like_it()"]
OPERATORS = ["+", "-", "*", "/", "//", "%", "**", "~", "==", "!=", "<", ">=", "in", "not in", "and", "or"]
FORMATS = ["%s", "%d", "%i", "%5d|", "%-5d|", "%05d", "%+d", "% d", "%x", "%#x", "%X", "%o", "%f", "%.2f", "%8.3f|", "%e", "%.3g", "%G", "%r",
           "%5s|", "%-5s|", "%.2s", "%c", "%%", "%", "%q", "%s %s", "%(a)s", "%5%"]
SPECS = ["", ":", ":5", ":<5", ":>5", ":^5", ":*^7", ":05", ":+", ":d", ":x", ":#x", ":b", ":o", ":,", ":_", ":.2f", ":8.2f", ":e", ":.3g", ":%",
         ":.1%", ":s", ":.2", "!r", "!s", "!r:>9", ":=+6", ":,.2f", ":c", ":n", "!a"]
SNIPPETS = [
    "{% call f() %}body{% endcall %}", "{% macro f() %}[{{ caller() }}]{% endmacro %}{% call f() %}body {{ 1 }}{% endcall %}",
    "{% macro f(x) %}[{{ caller(x, 2) }}]{% endmacro %}{% call(a, b=3, c=4) f(5) %}{{ a }}{{ b }}{{ c }}{% endcall %}",
    "{% macro f() %}{{ caller is defined }}{{ caller }}{% endmacro %}{{ f() }}", "{% macro f() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ f(1, 2, a=3) }}",
    "{% macro f(a) %}{{ a }}{% endmacro %}{{ f(1, 2) }}", "{% macro f(a) %}{{ a }}{% endmacro %}{{ f(b=2) }}", "{% macro f(a) %}{{ a }}{% endmacro %}{{ f(1, a=2) }}",
    "{% macro f(a=1) %}{{ a }}{% endmacro %}{{ f(missing) }}|{{ f() }}", "{% macro f(a, b) %}{{ a }}{{ b }}{% endmacro %}{{ f(*[1, 2]) }}{{ f(**{'b': 1, 'a': 2}) }}",
    "{% macro f(a, b=2, c=3) %}{{ a }}{{ b }}{{ c }}{% endmacro %}{{ f(1, *[5], **{'c': 6}) }}", "{{ dict(**mixed) }}", "{{ dict(a=1, **{'a': 2}) }}",
    "{{ dict([('a', 1), ['b', 2]]) }}", "{{ dict(mixed, z=1) }}", "{% filter upper %}a{{ text }}b{% endfilter %}", "{% filter trim|replace('a', 'b') %} aa {% endfilter %}",
    "{% set x | upper | trim %} a {% endset %}{{ x }}", "{% set x %}{% if yes %}1{% endif %}{% endset %}[{{ x }}]",
    "{% for i in [1, [2, [3]]] recursive %}{% if i is iterable %}({{ loop(i) }}){% else %}{{ i }}{{ loop.depth }}{% endif %}{% endfor %}",
    "{% for i in [1, 1, 2, 2, 1] %}{% if loop.changed(i) %}{{ i }}{% endif %}{% endfor %}", "{% for i in numbers %}{{ loop.nextitem }}{{ loop.previtem }}{% endfor %}",
    "{% for a in numbers %}{{ loop.index }}{% for b in words %}{{ loop.index }}{% endfor %}{{ loop.last }}{% endfor %}", "{% for i in numbers|select('odd') %}{{ loop.length }}{{ loop.last }}{% endfor %}",
    "{% if mixed %}{{ 'a'|nofilter }}{% endif %}", "{% if no %}{{ 'a'|nofilter }}{% else %}x{% endif %}", "{% if no %}{{ 'a' is notest }}{% endif %}y",
    "{{ 'a'|nofilter if no else 'b' }}", "{{ 'b' if yes else 'a'|nofilter }}", "{% if yes and ('a'|nofilter) %}{% endif %}", "{{ yes or 'a'|nofilter }}",
    "{% set s = numbers|select('odd') %}{{ s|list }}{{ s|list }}", "{% set s = numbers|select('odd') %}{{ s|first }}{{ s|list }}", "{{ 'yes' if empty|select else 'no' }}",
    "{{ numbers|select }}", "{{ mixed.items() }}", "{{ mixed.keys() }}", "{{ mixed.values() }}", "{{ range(3) }}", "{{ range(1, 4) }}", "{{ (1,) }}", "{{ [(1, 'a')] }}",
    "{% raw %}\n{% endraw %}x", "{% raw %}\n a {% endraw %}\nx", "a {% raw %}{{ x }}{% endraw %} b", "a\n  {% raw %}\n b\n  {% endraw %}\nc", "{%- raw -%}\n a \n{%- endraw -%}\n b",
    "{% raw -%}\n a{% endraw +%}\n b", "a  {%- raw %}\n b {% endraw -%}  c", "{% raw +%}a{% endraw %}", "{%+ raw %}a{%+ endraw %}", "{% raw %}{% raw %}{% endraw %}",
    "{{ 0x1F }} {{ 0b101 }} {{ 0o17 }} {{ 1_0 }} {{ 0xf_f }}", "{{ 1.5e3 }} {{ 1E2 }}", "{{ 'a' 'b' \"c\" }}", "{{ '\\x41\\u00e9\\n' }}", "{{ 1.__class__ }}",
    "{{ numbers[0] }}{{ numbers[-4] }}{{ numbers['a'] }}{{ text[0] }}|{{ text[99] }}|{{ mixed[0] }}", "{{ (1, 2)[1] }}{{ 'abc'[::-1] }}{{ 'abcdef'[4:1:-1] }}{{ 'ab'[5:] }}{{ [1,2,3][::2] }}",
    "{{ namespace(_a=1) }}", "{% set n = namespace() %}{% set n._a = 1 %}", "{% set n = namespace(a=1) %}{% set n.a = 2 %}{{ n.a }}{{ n.b }}", "{% set n = namespace({'a': 1}) %}{{ n.a }}",
    "{% set j = joiner('; ') %}{% for i in numbers %}{{ j() }}{{ i }}{% endfor %}", "{% set n = namespace(a=1) %}{{ n is mapping }}{{ n is iterable }}", "{{ n.a.b }}", "{{ loop }}",
    "{% for i in [] %}{% else %}{{ loop is defined }}{% endfor %}", "{% with %}{% set a = 1 %}{{ a }}{% endwith %}{{ a }}", "{% with a=1, b=a %}{{ b }}{% endwith %}",
    "{% set a = 1 %}{% if yes %}{% set a = 2 %}{% endif %}{{ a }}", "{% for i in numbers %}{% set a = i %}{% endfor %}{{ a }}", "{% set a = [1] %}{% for i in a %}{% set a = 5 %}{% endfor %}{{ a }}",
    "{% macro f() %}{{ a }}{% endmacro %}{% set a = 1 %}{{ f() }}", "{% set a = 1 %}{% macro f() %}{{ a }}{% endmacro %}{% set a = 2 %}{{ f() }}", "{{ f() }}{% macro f() %}1{% endmacro %}",
    "{% for x in numbers %}{% macro f() %}{{ x }}{% endmacro %}{{ f() }}{% endfor %}", "{% macro f(n) %}{{ n }}{% if n %}{{ f(n-1) }}{% endif %}{% endmacro %}{{ f(30) }}", "{{ f.name }}",
    "{% generation %}a{% set b = 1 %}{% endgeneration %}{{ b }}", "{% for i in numbers %}{% generation %}{{ i }}{% endgeneration %}{% endfor %}", "{% if yes %}{% generation %}x{% endgeneration %}{% endif %}",
    "{% block a %}x{% endblock %}", "{% do 1 %}", "{% autoescape false %}x{% endautoescape %}", "{% import 'a' as b %}", "{% debug %}", "{% trans %}x{% endtrans %}",
    "{{ 1 if }}", "{{ 1 is }}", "{{ a b }}", "{{ 1,  }}", "{{ [1,] }}{{ (1,) }}{{ {'a': 1,} }}", "{{ {1: 2}[1] }}{{ {none: 1}[none] }}{{ {(1, 2): 3}[(1, 2)] }}", "{{ {1: 1, 1.0: 2, true: 3} }}",
    "{{ 'a' not in 'abc' }}{{ not 'a' in 'abc' }}{{ 1 not in [1] and yes }}", "{{ 1 < 2 < 3 }}{{ 3 > 2 > 2 }}{{ 1 == 1 != 2 }}", "{{ -2 ** 2 }}{{ 2 ** 3 ** 2 }}{{ 2 ** -1 }}", "{{ 7 // -2 }}{{ -7 % 3 }}{{ 7.5 % -2 }}",
    "{{ not yes is defined }}{{ yes is not defined }}{{ missing.a is defined }}", "{{ missing.a.b }}", "{{ mixed.c.d.e }}", "{{ mixed.c.d.e.f }}", "{{ none.a }}", "{{ 5.a }}", "{{ missing ~ 'a' }}{{ none ~ 1 }}",
    "{{ loop.index }}", "{% for i in numbers if i > 1 %}{{ loop.index }}{{ i }}{% endfor %}", "{% for k, v in mixed|dictsort %}{{ k }}{% endfor %}", "{% for i in text %}{{ i }}.{% endfor %}", "{% for a, b in numbers %}{% endfor %}",
    "{% for i in mixed %}{{ i }}{% endfor %}", "{% for i in numbers %}{% break %}{% endfor %}x", "{% break %}", "{% for i in numbers %}{% if i == 1 %}{% continue %}{% endif %}{{ i }}{% endfor %}",
    "{{ words|map('replace', 'a', 'b')|list }}{{ words|map('default', 'x')|list }}{{ chat|map(attribute='x', default='y')|list }}", "{{ numbers|select('in', [1, 2])|list }}{{ numbers|reject('eq', 1)|list }}",
    "{{ chat|groupby('role') }}", "{% for r, g in chat|groupby('role') %}{{ r }}{{ g|length }}{% endfor %}", "{{ (chat|groupby('role')|first).grouper }}", "{{ chat|sum(attribute='x') }}", "{{ [[1], [2]]|sum(start=[]) }}",
    "{{ strftime_now('') }}|{{ strftime_now('%%') }}", "{{ raise_exception('a') }}", "{% if no %}{{ raise_exception('a') }}{% endif %}b", "{{ '' if yes }}{{ 'a' if no }}", "{{ cycler }}", "{{ lipsum }}",
    "{{ 'ß'|upper }}{{ 'ß'.title() }}{{ 'ﬁx'|capitalize }}{{ 'İ'|lower }}{{ 'ΑΣ'|lower }}{{ 'ŉ'.upper() }}", "{{ 'ǆ'|title }}{{ 'ᾳ'.upper() }}{{ 'ΣΑΣ'.lower() }}{{ 'Σ'.lower() }}", "{{ 'aßb'.swapcase() }}{{ 'Straße'.isupper() }}",
]


# Every function with every one of its parameters, over values that it takes.
CALLS = [
    "-3|abs", "half|abs", "yes|abs", "'x'|attr('upper')", "mixed|attr('items')", "numbers|batch(2)|list", "numbers|batch(2, 'x')|list",
    "numbers|batch(linecount=4, fill_with=0)|list", "words|batch(1)|map('first')|list", "unicode|capitalize", "'ABC dEF'|capitalize",
    "'ab'|center(5)", "'ab'|center(6)", "'abc'|center(6)", "'abc'|center(2)", "'é'|center|length", "numbers|count", "text|count", "mixed|count",
    "missing|d", "missing|d('x')", "nothing|d('x')", "nothing|d('x', true)", "nothing|default(default_value='x', boolean=true)", "mixed|dictsort",
    "{'b': 1, 'A': 2, 'c': 0}|dictsort", "{'b': 1, 'A': 2, 'c': 0}|dictsort(true)", "{'b': 1, 'A': 2, 'c': 0}|dictsort(by='value')",
    "{'b': 1, 'A': 2}|dictsort(false, 'value', true)", "'3.5e2'|float", "' 7 '|float", "'x'|float(9.5)", "none|float", "'inf'|float", "'%s: %d'|format('a', 2)",
    "'%(a)s %(b)05.1f'|format(a='x', b=2)", "'%s'|format(numbers)", "chat|groupby('role')|map('first')|list", "[{'a': 1}, {}]|groupby('a', default=0)|list",
    "[{'a': 'X'}, {'a': 'x'}]|groupby('a')|list|length", "[{'a': 'X'}, {'a': 'x'}]|groupby('a', case_sensitive=true)|list|length", "line|indent", "line|indent(2)",
    "line|indent('> ', true)", "line|indent(2, first=true, blank=true)", "line|indent(width=1, blank=true)", "' 12 '|int", "'1_000'|int", "'-3.9'|int", "'x'|int(5)",
    "2.9|int", "-2.9|int", "'0x1F'|int(7, 16)", "'-0b1_0'|int(base=2)", "'0o17'|int(5, 0)", "'z'|int(base=36)", "'1__0'|int(5)", "'_1'|int(5)", "'9'|int(5, 8)", "'1_0.5'|float", "'1_e2'|float(7)",
    "'--1'|int(5)", "'+-1'|int(5)", "'-0x1'|int(5)", "' +7 '|int", "1250|round(-2)", "1350|round(-2)", "-1250|round(-2)", "-1251|round(-2)", "15|round(-1)", "25|round(-1)", "7|round(-20)", "0.125|round(2)",
    "1e300|round(2) == 1e300", "-0.4|round", "1.005|round(2)", "-2.675|round(2)", "5e-324|round(300)", "mixed|items|list", "missing|items|list", "words|join", "words|join(', ')", "chat|join('-', attribute='role')",
    "numbers|join(d=0)", "'abc'|join('.')", "numbers|last", "'abc'|last", "unicode|length", "unicode|lower", "numbers|max", "words|max", "words|max(true)",
    "words|max(case_sensitive=true)", "chat|max(attribute='content')", "words|min", "words|min(true)", "chat|min(attribute='role')", "empty|max", "empty|min",
    "numbers|reject('eq', 3)|list", "numbers|reject('divisibleby', 3)|list", "chat|rejectattr('role', 'eq', 'user')|list", "chat|rejectattr('x')|list|length",
    "'aXbX'|replace('X', '')", "'aXbX'|replace('X', 'yy', 1)", "'abc'|replace('', '-')", "'abc'|replace('', '-', 2)", "'abc'|reverse", "numbers|reverse|list", "unicode|reverse",
    "2.5|round", "3.5|round", "-2.5|round", "2.675|round(2)", "42.55|round(1, 'floor')", "42.51|round(1, 'ceil')", "1234|round(-2)", "1234|round(-2, 'floor')", "7|round(1)",
    "0.5|round(method='ceil')", "text|safe", "words|select('in', ['fig'])|list", "chat|selectattr('role', 'in', ['user'])|map(attribute='content')|list",
    "chat|selectattr('content', 'eq', 'Hi')|list|length", "numbers|slice(2)|list", "range(7)|slice(3)|list", "range(7)|slice(3, 'x')|list", "range(2)|slice(4, 0)|list",
    "words|sort", "words|sort(true)", "words|sort(false, true)", "words|sort(reverse=true, case_sensitive=true)", "chat|sort(attribute='role')|map(attribute='content')|list",
    "chat|sort(attribute='role,content')|map(attribute='content')|list", "'hello'|sort", "numbers|string", "none|string", "numbers|sum", "numbers|sum(start=10)",
    "[{'a': 1}, {'a': 2.5}]|sum('a')", "[{'a': 1}]|sum(attribute='a', start=1)", "\"it's a wORLD-wide [x] (y)\"|title", "'ab cd'|title", "unicode|title", "mixed|tojson", "unicode|tojson(true)",
    "'<a href=\\'x\\'>&</a>'|tojson", "mixed|tojson(indent=2)", "mixed|tojson(sort_keys=true)", "(1, 2)|tojson", "half|tojson", "'xxaxx'|trim('x')", "' a '|trim", "unicode|trim('ü É')",
    "'a long text of words'|truncate(9)", "'a long text of words'|truncate(9, true)", "'a long text of words'|truncate(9, false, '>', 0)", "'abcdefgh'|truncate(5)", "'abcdefgh'|truncate(5, leeway=0)",
    "'abc defgh'|truncate(length=7, killwords=true, end='', leeway=0)", "[1, 1.0, true, 2]|unique|list", "words|unique|list", "words|unique(true)|list", "chat|unique(attribute='role')|list|length",
    "unicode|upper", "'one two_three, 4 fünf'|wordcount", "text|wordcount", "nothing|wordcount", "missing is undefined", "none is undefined", "none is none", "text is string", "'a' is lower", "'aB' is lower",
    "'1' is lower", "'A1' is upper", "'Aa' is upper", "mixed is sequence", "numbers is sequence", "7 is sequence", "7 is number", "half is number", "yes is number", "7 is integer", "yes is integer",
    "half is integer", "half is float", "7 is float", "yes is boolean", "1 is boolean", "yes is true", "1 is true", "no is false", "0 is false", "none is false", "dict is callable", "7 is callable", "1 is sameas 1",
    "none is sameas none", "yes is sameas true", "7 is eq 7.0", "7 is equalto 7", "'a' is equalto 'b'", "7 is ne 8", "7 is not ne 8", "1 is lt 2", "2 is lt 2", "'a' is lt 'b'", "1 is lessthan 2", "2 is lessthan 1",
    "2 is le 2", "3 is le 2", "1.5 is le 2", "3 is gt 2", "2 is gt 2", "3 is greaterthan 2", "'b' is greaterthan 'a'", "2 is ge 2", "1 is ge 2", "3 is odd", "-3 is odd", "2 is odd", "2 is even", "-2 is even", "0 is even",
    "9 is divisibleby 3", "9 is divisibleby 2", "-9 is divisibleby(3)", "'trim' is filter", "'nofilter' is filter", "'odd' is test", "'notest' is test", "text is escaped", "numbers|select('==', 3)|list",
    "numbers|select('!=', 3)|list", "numbers|select('<', 2)|list", "numbers|select('<=', 2)|list", "numbers|select('>', 2)|list", "numbers|select('>=', 2)|list", "[yes, no, 1, 0]|select('true')|list",
    "[yes, no, 1, 0]|select('false')|list", "[2, 3]|select('lessthan', 3)|list", "numbers|map('string')|map('upper')|join", "words|map('length')|list", "words|map('truncate', 3, true, '')|list", "numbers|first",
    "' ab '.strip()", "'xxabx'.strip('x')", "'xyab'.lstrip('yx')", "' ab '.lstrip() ~ '|'", "'ab '.rstrip() ~ '|'", "'abxy'.rstrip('xy')", "'ab'.rstrip(none)", "'a b  c'.split()", "'a,b,,c'.split(',')",
    "'a,b,,c'.split(',', 2)", "'a b  c '.split(none, 1)", "'a b'.split(sep=' ')", "'a--b--c'.split('--', maxsplit=1)", "'a,b,,c'.rsplit(',')", "'a,b,,c'.rsplit(',', 2)", "' a b  c'.rsplit(none, 1)", "'a b c'.rsplit()",
    "words|map('attr', 'upper')|list|length", "'x'|attr('nothing')", "nodict|items|list", "words|first|safe", "nothing|safe", "numbers|reject('==', 3)|list", "words|reject('!=', 'fig')|list",
    "words|select('<', 'b')|list", "numbers|reject('<', 2)|list", "numbers|reject('<=', 2)|list", "words|reject('>', 'b')|list", "numbers|reject('>=', 2)|list", "[half, 3, nothing]|reject('>=', 2)|list",
    "[mixed, text]|select('mapping')|list|length", "numbers is mapping", "['trim', 'x']|select('filter')|list", "['odd', 'x']|reject('test')|list", "numbers|select('equalto', 1)|list", "numbers|reject('gt', 1)|list",
    "'b' is gt 'a'", "numbers|reject('greaterthan', 1)|list", "numbers|select('ge', 2)|list", "'xxa'.lstrip('x')", "''.lstrip()",
    "'-'.join(words)", "''.join(['a', 'b'])", "'é'.join('abc')", "'banana'.count('a')", "'banana'.count('ana')", "'banana'.count('a', 2)", "'banana'.count('a', 2, -1)", "'é'.count('')",
    "'a\\nb\\r\\nc\\rd\\n'.splitlines()", "'a\\nb\\r\\nc\\x0bd\\u2028e'.splitlines(true)", "''.splitlines()", "'a\\n'.splitlines(keepends=true)", "'a=b=c'.partition('=')", "'abc'.partition('=')",
    "'éaé'.partition('a')", "'a=b=c'.rpartition('=')", "'abc'.rpartition('=')", "'éaé'.rpartition('é')", "'ab'.ljust(4) ~ '|'", "'ab'.ljust(4, 'é')", "'ab'.ljust(1)", "'ab'.rjust(4)", "'ab'.rjust(4, '.')",
    "'é'.rjust(3, '0')", "'ab'.center(5, '*')", "'abc'.center(6, '*')", "'ab'.center(5)", "'42'.zfill(5)", "'-42'.zfill(5)", "'+4'.zfill(4)", "'é'.zfill(3)", "''.zfill(2)", "'{} {}'.format(1, 'a')",
    "'{1}{0}'.format('a', 'b')", "'{a:>5}|{b!r}'.format(a=1, b='x')", "'{0[1]} {1.role}'.format(numbers, chat[0])", "'aBc'.swapcase()", "'ÄßI'.swapcase()", "'ab c'.upper()", "'ABÇ'.lower()",
    "\"they're bill's x1y\".title()", "'ǆ ß'.title()", "'hELLO wORLD'.capitalize()", "'ßx'.capitalize()", "'éA'.capitalize()", "'12'.isdigit()", "'1a'.isdigit()", "''.isdigit()", "'12'.isdecimal()",
    "'1.2'.isdecimal()", "''.isdecimal()", "'12'.isnumeric()", "'x'.isnumeric()", "''.isnumeric()", "' \\t\\u00a0'.isspace()", "''.isspace()", "' a'.isspace()", "'aé'.isalpha()", "'a1'.isalpha()",
    "''.isalpha()", "'a1é'.isalnum()", "'a b'.isalnum()", "''.isalnum()", "'ab~'.isascii()", "'é'.isascii()", "''.isascii()", "'ab1'.islower()", "'aB'.islower()", "'1'.islower()", "'AB1'.isupper()",
    "'Ab'.isupper()", "'1'.isupper()", "'hello'.startswith('he')", "'hello'.startswith('lo', 3)", "'hello'.startswith(('x', 'h'))", "'hello'.startswith('')", "'hello'.endswith('lo')",
    "'hello'.endswith('he', 0, 2)", "'hello'.endswith(('x', 'y'))", "'hello'.find('l')", "'hello'.find('l', 3)", "'hello'.find('l', 4)", "'éléa'.find('a')", "'hello'.find('')", "'hello'.rfind('l')",
    "'hello'.rfind('l', 0, 3)", "'hello'.rfind('x')", "'éléa'.rfind('é')", "'hello'.rfind('')", "'hello'.index('l')", "'éb'.index('b')", "'hello'.index('l', -2)", "'hello'.rindex('l')", "'éébé'.rindex('é')",
    "'hello'.rindex('h', 0, 2)", "'aXbX'.replace('X', 'y')", "'aXbX'.replace('X', 'y', 1)", "'ab'.replace('', '-')", "'ab'.replace('b', '', 0)", "'aab'.removeprefix('a')", "'aab'.removeprefix('b')",
    "''.removeprefix('a')", "'abb'.removesuffix('b')", "'abb'.removesuffix('a')", "'b'.removesuffix('b')", "mixed.items()|list", "mixed.keys()|list", "mixed.values()|list", "mixed.get('b')", "mixed.get('x')",
    "mixed.get('x', 5)", "mixed.copy()", "numbers.index(1)", "numbers.count(3)", "(1, 2, 1).count(1)", "(1, 2).index(2)", "words.copy()", "range(5).index(3)", "range(2, 9, 3)|list", "range(5, 0, -2)|list",
]

LEAST = 2
KNOWN = ["pprint", "!a", ":n}", "cycler", "is filter", "is test", "indent", "count('l'", "keys()) -", "- (mixed.keys", "{% block", "autoescape",
         "(-7) **", "in (mixed.keys", "dict|", "dict is lower", "1e20", "select is iterable", "__class__", "(mixed.keys()) <", "(mixed.keys()) >",
         "reverse }}", "(range(3))[", "(missing)", "in mixed }}", "[1:]", "[:2]", "[::", "[-2:]", "'%c'", "half is", "|select('odd')) *",
         "(mixed.items()) <", "(mixed.items()) >", "%5%", "|select('odd')|title", "|select('odd')|w", "lipsum", "|select('odd')|replace", "~ (dict)", "~ (numbers|select"]


def templates():
    yield from ("{{ %s|%s }}" % pair for pair in itertools.product(VALUES, FILTERS))
    yield from ("{{ %s is %s }}" % pair for pair in itertools.product(VALUES, TESTS))
    yield from ("{{ (%s).%s }}" % pair for pair in itertools.product(VALUES, METHODS))
    yield from ("{{ (%s) %s (%s) }}" % (a, sign, b) for a, sign, b in itertools.product(VALUES, OPERATORS, VALUES))
    yield from ("{{ (%s)[%s] }}" % pair for pair in itertools.product(VALUES, ["0", "-1", "1:", ":2", "::-1", "::2", "-2:", "'a'", "9", "none", "true"]))
    yield from ("{% for x in " + value + " %}{{ x }},{{ loop.index }}{% else %}none{% endfor %}" for value in VALUES)
    yield from ("{%% if %s %%}1{%% else %%}0{%% endif %%}" % value for value in VALUES)
    values = VALUES + ["255", "-3.14159", "1234567.891", "'é'", "65", "0.1"]
    yield from ("{{ '%s' %% (%s) }}" % pair for pair in itertools.product(FORMATS, values))
    yield from ("{{ '{%s}'.format(%s) }}" % pair for pair in itertools.product(SPECS, values))
    yield from SNIPPETS + ["{{ %s }}" % call for call in CALLS]


# The functions that a table of C++ names, each by the pattern of its use.
def functions():
    for file, begin, use in [("filters", "known = {", r"\|\s*%s\b|map\('%s'"), ("predicates", "known = {", r"\bis (not )?%s\b|(select|reject|attr)\('(\w+', ')?%s'"),
                             ("text_methods", "methods = {", r"\.%s\(|\.%s\(")]:
        table = (OUT.parents[1] / f"{file}.cpp").read_text().split(begin, 1)[1].split("\n  };", 1)[0]
        for name in re.findall(r'\{"([^"]+)",', table):
            yield f"{file}: {name}", use.replace("%s", re.escape(name))


def check_functions(cases):
    rendered = [case["template"] for case in cases if case["text"] is not None]
    thin = [name for name, use in functions() if sum(bool(re.search(use, template)) for template in rendered) < LEAST]
    if thin:
        sys.exit("too few templates render: " + ", ".join(thin))


def render(template):
    try:
        text = _compile_jinja_template(template).render(**copy.deepcopy(VARIABLES))
    except Exception:  # whatever jinja2 or Python raises: the template is refused
        return None
    # An address in memory is refused here.
    return None if " at 0x" in text else text


def main():
    some = list(templates())
    if len(sys.argv) == 1:
        always = some[-len(SNIPPETS) - len(CALLS):]
        some = [template for template in some[:-len(always):23] + SNIPPETS if not any(known in template for known in KNOWN)]
        some += always[len(SNIPPETS):]
    cases = [{"template": template, "text": render(template)} for template in some]
    check_functions(cases)
    with open(sys.argv[1] if len(sys.argv) > 1 else OUT, "w") as out:
        lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
        out.write(f'{{"variables": {json.dumps(VARIABLES, ensure_ascii=False)},\n"cases": [\n{lines}\n]}}\n')
    print(f"{len(cases)} templates, {sum(case['text'] is None for case in cases)} of them refused")


main()
