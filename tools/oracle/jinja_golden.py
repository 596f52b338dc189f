"""Golden texts for src/jinja/template_test.cpp: templates rendered by jinja2 in transformers' sandbox.

    tools/oracle/setup && build/oracle/bin/python tools/oracle/jinja_golden.py

Writes src/jinja/testdata/golden.json: a list of {template, text} rendered with VARIABLES. text is null if jinja2 refuses the
template or fails.
"""
import json
import pathlib

from transformers.utils.chat_template_utils import _compile_jinja_template

from model_templates import TEMPLATES

OUT = pathlib.Path(__file__).resolve().parents[2] / "src/jinja/testdata/golden.json"

VARIABLES = {
    "bos_token": "<s>", "eos_token": "</s>", "add_generation_prompt": True, "tools": None,
    "messages": [
        {"role": "system", "content": "  Be brief.\n"},
        {"role": "user", "content": "What is \"x\"? ünï ☕"},
        {"role": "assistant", "content": "A letter.", "tool_calls": [
            {"id": "a1", "type": "function", "function": {"name": "f", "arguments": {"q": "it's", "n": [1, 2.5, None]}}}]},
        {"role": "user", "content": [{"type": "text", "text": "and"}, {"type": "image"}]},
        {"role": "assistant", "content": ""},
    ],
    "chat": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi "},
             {"role": "user", "content": " Bye"}],
    "numbers": [3, 1, 2], "words": ["pear", "Apple", "fig", "apple"], "text": "  Hello, World of hello  ",
    "mixed": {"b": 1, "a": [True, None, 1.0], "c": {"d": "e"}, "items": 5}, "zero": 0, "empty": [], "none": None,
    "deep": [{"a": {"b": 2}}, {"a": {"b": 1}}, {"a": {}}],
}

SNIPPETS = r"""
{{ 1 + 2 * 3 }} {{ (1 + 2) * 3 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ 1.0 }} {{ 1e20 }} {{ 1.5e-7 }}
{{ -7.5 % 2 }} {{ 7.5 // 2 }} {{ 3 * 'ab' }} {{ [1] * 2 + [2] }} {{ 1 ~ 'a' ~ none ~ true }} {{ -2 ** 2 }} {{ 1_000 }}
{{ 'a' 'b' }}{{ "it's" }}{{ 'say "x"' }}{{ 'tab\t|nl\n|q\'|u\u00e9|x\x41' }}
{{ 1 == 1.0 }} {{ true == 1 }} {{ 'a' < 'b' < 'c' }} {{ 1 < 2 > 1 }} {{ [1, 2] < [1, 3] }} {{ none == false }} {{ missing == other }}
{{ 'el' in text }} {{ 2 in numbers }} {{ 'b' in mixed }} {{ 'z' not in words }} {{ not 1 in numbers }}
{{ 'yes' if numbers else 'no' }}|{{ 'x' if empty }}|{{ 1 if zero else 2 if none else 3 }}
{{ none or 'd' }} {{ 1 and 0 }} {{ not none }} {{ '' or [] or 5 }}
{{ numbers }} {{ mixed }} {{ (1,) }} {{ (1, 'a') }} {{ () }} {{ words }} {{ "it's \"both\"" }} {{ ["it's", 'a\nb', "q\\"] }}
{{ ['\u00a0\u3000é', '\u200d\ufe0f\u2028', '\U0001F600\U000E0001\U0010FFFD', '\x7f\x00\u0085'] }}
{{ 1, 2 }}{{ {'a': 1}['a'] }}{{ {'a': {'b': 3}}.a.b }}{{ numbers.0 }}{{ numbers[-1] }}|{{ numbers[9] }}|
{{ numbers[1:] }} {{ numbers[:-1] }} {{ numbers[::-1] }} {{ text[2:7] }} {{ 'ünï☕'[1:3] }} {{ 'abc'[-1] }} {{ 'abcdef'[::2] }} {{ numbers[5:] }} {{ 'ünï'|length }}
{{ missing }}|{{ mixed.missing }}|{{ mixed['missing'] }}|{{ missing|length }}|{{ missing is defined }}|{{ mixed.a is defined }}
{{ missing.attribute }}
{{ missing + 1 }}
{{ missing() }}
{{ numbers.append(4) }}
{{ mixed.items() | list }}
{{ mixed['items'] }} {{ mixed.get('b') }} {{ mixed.get('z') }} {{ mixed.get('z', 7) }} {{ mixed.keys() | list }} {{ mixed.values() | list }}
{{ text.strip() }}|{{ text.lstrip() }}|{{ text.rstrip() }}|{{ 'xxaxx'.strip('x') }}|{{ 'xyaxy'.lstrip('yx') }}|{{ text|trim }}
{{ text.split() }} {{ 'a,b,,c'.split(',') }} {{ 'a,b,c'.split(',', 1) }} {{ 'a,b,c'.rsplit(',', 1) }} {{ ' a  b c '.split(none, 1) }} {{ ''.split(',') }} {{ ''.split() }} {{ ' a b  c '.rsplit(none, 1) }}
{{ 'a</think>b'.split('</think>')[-1].lstrip('\n') }} {{ 'x'.startswith('x') }} {{ 'abc'.endswith(('z', 'c')) }} {{ 'aXbX'.replace('X', '-') }} {{ 'aXbX'.replace('X', '-', 1) }} {{ 'ab'.replace('', '.') }}
{{ 'hello world'.title() }} {{ "they're o-k"|title }} {{ "they're".title() }} {{ 'hELLO wORLD'|capitalize }} {{ 'éa'.upper() }} {{ 'ÉA'|lower }} {{ 'a1b'.title() }}
{{ '-'.join(['a', 'b']) }} {{ 'abcabc'.count('bc') }} {{ 'héllo'.find('l') }} {{ 'x'.find('l') }} {{ 'a\nb\r\nc'.splitlines() }} {{ '12'.isdigit() }} {{ 'abc'.removeprefix('a') }} {{ 'abc'.removesuffix('c') }}
{{ words|join(', ') }} {{ words|sort }} {{ words|sort(reverse=true) }} {{ words|sort(case_sensitive=true) }} {{ words|unique|list }} {{ numbers|sort }} {{ numbers|sum }} {{ numbers|max }} {{ words|min }}
{{ words|first }} {{ words|last }} {{ empty|first }}| {{ numbers|reverse|list }} {{ 'abc'|reverse }} {{ words|map('upper')|list }} {{ words|map('length')|join('+') }}
{{ chat|map(attribute='role')|join(',') }} {{ chat|selectattr('role', 'equalto', 'user')|list|length }} {{ chat|rejectattr('role', 'eq', 'user')|map(attribute='content')|list }} {{ numbers|select('odd')|list }} {{ numbers|reject('>', 1) | list }}
{{ numbers|select('gt', 1)|list }} {{ [0, 1, none, 'a']|select|list }} {{ deep|map(attribute='a.b', default='none')|list }} {{ deep|selectattr('a.b')|list|length }} {{ chat|sort(attribute='content')|map(attribute='content')|list }}
{{ mixed|tojson }} {{ mixed|tojson(indent=2) }} {{ "a<b>&'\"é\u2028\u007f\x01"|tojson }} {{ [1.0, 1e30, 10000000000000000, none, true]|tojson }} {{ {}|tojson(indent=4) }} {{ []|tojson(indent=1) }} {{ mixed|tojson(sort_keys=true) }}
{{ missing|tojson }}
{{ missing|default('d') }} {{ ''|default('d') }}| {{ ''|default('d', true) }} {{ none|default('d') }} {{ false|d('x', boolean=true) }}
{{ '3.7'|int }} {{ 'x'|int }} {{ 'x'|int(5) }} {{ 3.9|int }} {{ '2.5'|float }} {{ 3|float }} {{ 2.5|round }} {{ 3.14159|round(2) }} {{ 2.1|round(method='ceil') }} {{ -3|abs }} {{ 1|string + 'a' }} {{ true|int }} {{ ' 12 '|int }}
{{ 'a\nb\n\nc'|indent }}|{{ 'a\nb'|indent(2, true) }}|{{ 'a\n\nb'|indent(1, blank=true) }}|{{ 'a\nb'|indent('> ') }}
{{ mixed|dictsort }} {{ {'b': 1, 'A': 2}|dictsort(by='value', reverse=true) }} {{ mixed|items|list }} {{ 'abc'|list }} {{ 'axa'|replace('a', 'b') }} {{ mixed|length }} {{ text|count }}
{{ 1 is number }} {{ true is number }} {{ true is integer }} {{ 1 is integer }} {{ 1.0 is float }} {{ 'a' is string }} {{ [] is sequence }} {{ {} is mapping }} {{ 'a' is iterable }} {{ 1 is iterable }} {{ none is none }} {{ true is true }} {{ 1 is true }} {{ false is boolean }} {{ 3 is odd }} {{ 4 is even }} {{ 9 is divisibleby 3 }} {{ 1 is not none }} {{ 'a' is in ['a'] }} {{ 1 is eq 1 }} {{ range is callable }} {{ 'AB' is upper }} {{ 'ab' is lower }} {{ missing is iterable }} {{ 1 is ge(1) }} {{ 2 is sameas 2 }}
{{ x is string and 1 }}|{{ 'a' is string and true }}|{{ not 'a' is string }}|{{ 1 is none or 'b' }}
{{ range(3)|list }} {{ range(1, 7, 2)|list }} {{ range(3, 0, -1)|list }} {{ dict(a=1, b='x') }} {{ range(0)|list }}
{{ range(200000) }}
{{ 'a' | nofilter }}
{{ 'a' is notest }}
{{ raise_exception('No ' ~ 'way') }}
{{ 1 / 0 }}
{{ 'a' + 1 }}
{{ 1 < 'a' }}
{% for i in numbers %}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.length }}{{ i }}{{ loop.previtem }}{{ loop.nextitem }}{{ loop.cycle('x', 'y') }}{{ ' ' if not loop.last }}{% endfor %}
{% for k, v in mixed.items() if v != 1 %}{{ k }}={{ v }}{{ loop.length }};{% else %}none{% endfor %}{% for x in empty %}{{ x }}{% else %}nothing{% endfor %}{% for x in missing %}{{ x }}{% else %}!{% endfor %}
{% for i in range(6) %}{% if i == 1 %}{% continue %}{% endif %}{% if i == 4 %}{% break %}{% endif %}{{ i }}{% endfor %}
{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}{% for c in 'hé' %}[{{ c }}]{% endfor %}{% for k in mixed %}{{ k }}{% endfor %}
{% set x = 1 %}{% for i in numbers %}{% set x = x + i %}{{ x }},{% endfor %}{{ x }}
{% set ns = namespace(x=1, found=false) %}{% for i in numbers %}{% set ns.x = ns.x + i %}{% set ns.found = true %}{% endfor %}{{ ns.x }} {{ ns.found }} {{ ns.missing }}
{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set c = (3, 4) %}{{ c }}{% set d %}block {{ a }}{% endset %}[{{ d }}]{{ d is string }}
{% set mixed.b = 3 %}
{% if 0 %}a{% elif numbers|length == 3 %}b{% else %}c{% endif %}{% if x is defined and x %}d{% elif missing %}e{% else %}f{% endif %}{% if true %}{% set inner = 5 %}{% endif %}{{ inner }}
{% macro greet(name, mark='!', more=none) %}Hello {{ name }}{{ mark }}{{ more }}{% endmacro %}{{ greet('A') }} {{ greet('B', mark='?') }} {{ greet('C', '.', more=1) }} {{ greet() }}
{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(3) }}
{% macro f() %}{{ f() }}{% endmacro %}{{ f(1) }}
{% with a = 1, b = numbers %}{{ a }}{{ b }}{% endwith %}{{ a }}
{% raw %}{{ not rendered }} {% if %}{% endraw %}|{%- raw -%}  x  {%- endraw -%}  |
a {#- comment -#} b {# c #} d{# unclosed? no #}
  {% if true %}  x  {% endif %}  y
  {%- if true %}  x  {% endif -%}  y
{{ 'a' }}  {{- 'b' -}}  c
x{%+ if true %} y {%+ endif %} z
x  {%+ if true %} y {% endif +%} z
{% if true -%}   trimmed   {%- endif %} end
{{ {'a': {'b': {}}} }}{{ {} }}{{ [[]] }}
{{ messages[2].tool_calls[0].function.arguments|tojson }} {{ messages[2]['tool_calls'][0]['function']['arguments'] }}
{% for m in messages %}{% if m.content is string %}{{ m['role'] }}:{{ m.content|trim }};{% else %}{% for p in m.content %}{{ p.type }}{{ p.text if p.type == 'text' }}{% endfor %}{% endif %}{% endfor %}
{%- if messages[0]['role'] == 'system' -%}{%- set system_message = messages[0]['content'] | trim + '\n\n' -%}{%- set messages = messages[1:] -%}{%- else -%}{%- set system_message = '' -%}{%- endif -%}{{ system_message }}{{ messages|length }}
{% generation %}a{{ 1 }}{% endgeneration %}b
{% include 'x' %}
{% extends 'x' %}
{% if true %}
{% endif %}
{{ 'unclosed }}
{{ (1 }}
{{ 1 + }}
{{ }}
{% for x in %}{% endfor %}
{% for in numbers %}{% endfor %}
{% else %}
{{ text._private }}
{{ ''.__class__ }}
{{ 5 | string | length }} {{ (5 | string) ~ 5 | string | length }} {{ -5 | abs }} {{ 'a' ~ 'b' | upper }} {{ ['a', 'b'] | map('upper') | join }}
{{ numbers is not string and numbers is iterable and numbers is not mapping }} {{ none is not defined }} {{ 'a' if 'b' is string else 'c' }}
{{ 'x' * 0 }}|{{ 'x' * -1 }}|{{ [] + [] }}|{{ 0.1 + 0.2 }}|{{ 1e16 }}|{{ 123456789012345.0 }}|{{ 1e-5 }}|{{ 0.0001 }}|{{ 3.0 * 2 }}|{{ 10 ** 15 }}
{{ messages | last }}|{{ (messages | first).role }}|{{ messages[0] == chat[0] }}|{{ (chat | last)['content'].strip() }}
{{ 'a,b'.split(',') | map('trim') | list }} {{ ' '.join(words) }} {{ words | join(' ') | upper | replace('A', '4') }}
{% for message in chat %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('no') }}{% endif %}{{ message.role[0] }}{% endfor %}
{% for message in chat | selectattr('role', 'ne', 'user') %}{{ message.content }}|{% endfor %}
""".strip("\n").split("\n")

BLOCKS = [
    "line one\n{% if true %}\n  kept\n  {% endif %}\nlast\n",
    "a\n    {% for i in numbers %}\n    {{ i }}\n    {% endfor %}\nb",
    "a\n    {%- for i in numbers -%}\n    {{ i }}\n    {%- endfor %}\nb\n\n",
    "x {% set a = 1 %}\n y\n{# note #}\nz\r\nw\r{{ a }}",
    "\n\n{{ 1 }}\n", "{{ 1 }}\n\n", "   {{ 1 }}   ", "   {% set a = 1 %}   \n",
    "{% if true %} {% if true %}\n{% endif %}{% endif %}\nq",
    "{# one #} {# two #}\n  {# three #}\nx", "{{ 1 }} {% if 1 %}\n {% endif %}\n",
    "{%- set ns = namespace(a='') -%}\n{%- for m in chat -%}\n  {%- set ns.a = ns.a + m.role -%}\n{%- endfor -%}\n{{- ns.a }}",
    "{%- macro block(m) %}\n    {{- m.role }}:\n    {{- m.content }}\n{%- endmacro %}\n{%- for m in chat %}\n{{- block(m) }}\n{%- endfor %}",
]


def render(template):
    try:
        return _compile_jinja_template(template).render(**VARIABLES)
    except Exception:  # whatever jinja2 or Python raises: the template is refused
        return None


def main():
    templates = list(TEMPLATES.values())
    templates += [template.replace("messages", "chat") for template in TEMPLATES.values()]
    cases = [{"template": template, "text": render(template)} for template in templates + SNIPPETS + BLOCKS]
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps({"variables": VARIABLES, "cases": cases}, indent=1, ensure_ascii=False) + "\n")
    print(f"{len(cases)} templates, {sum(case['text'] is None for case in cases)} of them refused")


main()
