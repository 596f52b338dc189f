"""lm-eval's leaderboard_math_hard (exact_match_original, by sympy) and GSM8K beside src/grade.

    pip install lm_eval[math]
    python tools/oracle/math_grader.py golden MATH_JSONL
        writes src/grade/testdata/math_golden.json: extracted and normalised answers, filters, and some pairs
    python tools/oracle/math_grader.py pairs MATH_JSONL PAIRS_JSONL
        writes pairs of normalised answers in equal and different forms, with is_equiv's verdict. Then
        LMPO_MATH_PAIRS=PAIRS_JSONL build/release/bin/grade_test --gtest_filter=*Pairs* counts what differs
"""
import json
import pathlib
import random
import re
import sys

from lm_eval.api.metrics import exact_match_hf_evaluate
from lm_eval.filters.extraction import RegexFilter
from lm_eval.tasks.leaderboard.math import utils

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "src/grade/testdata/math_golden.json"

SOLUTIONS = [
    r"so \boxed{5}", r"\boxed{\frac{1}{2}} and \boxed{x^{2}}", r"\boxed 7$ end", r"\boxed 1$ and \boxed{2}", r"\fbox{3}", r"\boxed{a", "none",
    r"\boxed", r"\boxed{a}b}", r"\boxed{}", r"\boxed{{a}}", r"\boxed3 {4}", "\\boxed{a\nb}", r"\fbox{1}\boxed{2}",
]
RESPONSES = [
    "Final Answer: The final answer is $5$. I hope it is correct.", "Final Answer: The final answer is 5. I hope it is correct", "The final answer is 5.",
    "Final Answer: The final answer is $\\frac{1}{2}$.", "Final Answer: The final answer is $5$. ", "", "Final Answer: The final answer is. I hope it is correct.",
    "Final Answer: The final answer is\n5. I hope it is correct.", "Final Answer: The final answer is 5! I hope it is correct. Final Answer: The final answer is 6. I hope it is correct.",
    "Final Answer: The final answer is $x=5$. I hope it is correct.", "Final Answer: The final answer is 1. I hope it is correctX",
]
ANSWERS = [
    "5", "x=5", "x = 3 = y", "$5$", "is $5$ or $6$", r"5\text{ cm}", r"5\mbox{ m}^2", r"\text{m}", r"\frac12", r"\frac 1 2", r"\frac{1}2", r"\dfrac12", r"\sqrt2", r"\sqrt 23",
    r"\sqrt[3]{5}", "1,000,000", "1,000.5", "1,2", "$1,000$", r"\$5", r"5\%", r"90^\circ", r"90^{\circ}", r"\textbf{(A)}", r"\overline{AB}", r"\boxed{5}", r"2\text{ and }3",
    "an apple a day", r"5\ \text{inches}", "12 square units", r"1{,}000", r"10,\!000", r"\text{s}", "\\text{\ns}", r"\mathrm{th}", "", "$", "$$", "$a$b$c$", "a\n$b$", "١,٢", "²,³",
    "½", '"quoted"', r"\ldots", r"\dots", "points", "two dollars and 5 cents", r"\text{a}\text{b}", r"\text{a{b}c}", r"x\in[1,2]", "[invalidanswer]", "5.$", ".$", "5 . $",
]
FILTERED = [
    "#### 5", "The answer is 5.", "#### -1,234.50 dollars", "####5", "#### x #### 7", "$5 and $6.50.", "-3", "no", "1", ".", "..", "5,", "#### .", "a-5b", "$$$", "x 7 y", "٣", "#### 5\n#### 6",
]
PAIRS_EXACT = [("5", "5"), ("$5", "5"), ("5.", "5"), ("1,000", "1000"), ("text #### 7", "7"), ("A", "a"), ("5\n", "5"), ("5.\n", "5\n"), ("5..", "5."), ("#### ", ""), ("x #### 1 #### 2", "2"), ("5\x00", "5")]
GSM8K = {"regexes_to_ignore": [",", "\\$", "(?s).*#### ", "\\.$"], "ignore_case": True, "ignore_punctuation": False}
PAIRS_EQUIVALENT = [
    (r"\frac{1}{2}", "0.5"), (r"\frac{1}{3}", "0.333"), (r"\sqrt{8}", r"2\sqrt{2}"), (r"\frac{\sqrt{2}}{2}", r"\frac{1}{\sqrt{2}}"), ("1+x", "x+1"), ("n(n+1)", "n^2+n"),
    ("n(n+1)", "n(1+n)"), (r"2\pi", r"\pi2"), (r"2\pi", "6.283185307179586"), ("(1,2)", "(1,2)"), ("1,2", "1,3"), ("[1,2)", "[1,2)"), ("x<5", "x<5"), (r"\sqrt{x^2}", "x"), ("3x5", "15"),
    ("x^23", "x^{23}"), ("2^10", "1024"), ("2^{10}", "1024"), ("5!", "120"), (r"\binom{5}{2}", "10"), (r"\log_{2}8", "3"), (r"\log_28", "3"), (r"\sin^2x+\cos^2x", "1"), (r"\sin^{-1}x", r"\arcsin x"),
    ("e^{2}", "7.389"), ("i^2", "-1"), (r"\infty", r"\infty"), (r"-\infty", "5"), ("|-5|", "5"), (r"\lfloor2.5\rfloor", "2"), (r"\left(1+2\right)", "3"), ("2(3+4)", "14"), (r"\{5\}", "5"),
    ("1,000", "1000"), ("12", "1 2"), ("", "0"), ("5", ""), ("5%", "5"), ("A", "A+0"), (r"\text", "text"), ("x_1", "x_{1}"), ("x_1", "x_2"), ("f(x)", "f(x)"), ("f(x)", "g(x)"), ("x:y", r"\frac{x}{y}"), ("-x^2", "-(x^2)"),
    ("(-8)^{1/3}", "-2"), ("(-1)^{1/2}", "i"), (r"\sqrt{-4}", r"2\sqrt{-1}"), ("dx", "xd"), ("1.5", "1.50"), (".5", "0.5"), ("5.", "5"), ("1000000001", "1000000002"), ("5'", "5"), ("5_3", "5"), ("5;", "5"), ("5]", "5"), ("5|", "5"), ("5|5|", "25"), ("5^", "5"), ("5+", "5"), ("2(3,4)", "2"), ("x(3,4", "x"), ("x^-1", "x"),
    ("5<", "5"), ("5&", "5"), ("5,600,7", "5600"), ("5,60", "5"), ("1.2.3", "1.2"), ("1.25.3", "1.25"), ("1.25.", "1.25"), ("1.5.", "1.5"), ("n(n^5+1)", "n(1+n^5)"), ("f(2^{100}x)", "f(x2^{100})"), (r"\sin", "x"), (r"\frac{1}{2", "1/2"), ("{5", "5"), (r"5\%", "5"), ("(2+)", "2"), ("0.25", r"\frac{1}{4}"), ("1.5x", "3x/2"), ("x-x", "0"),
    (r"1.5\sqrt{2}", r"\frac{3\sqrt{2}}{2}"), ("f(3,4)", "f(3,5)"), (r"5\to", "5"),
    (r"\frac12", r"\frac{1}{2}"), (r"\frac{1}{2}x", "x/2"), ("2x^2+3x", "3x+2x^2"), ("(x+1)(x+2)", "x^2+3x+2"), ("x+1)(", "x+1"), ("2^2^3", "64"), (r"\sqrt{3+2\sqrt{2}}", r"1+\sqrt{2}"), ("a-b", "b-a"), ("--5", "5"), ("+5", "5"),
    (r"\overline{3}", "3"), (r"\mathit{abc}", "abc"), (r"\tan x", r"\frac{\sin x}{\cos x}"), (r"\sin x\cos y", r"\cos y\sin x"), (r"\left|x\right|", "|x|"), ("||x|-1|", "1"), ("2|x|", "|2x|"), ("'", "x"), ("x'", "x"), ("3!!", "720"),
]


def equivalent(a, b):
    return bool(utils.is_equiv(a, b))


def answers(path):
    for line in open(path):
        yield utils.remove_boxed(utils.last_boxed_only_string(json.loads(line)["solution"]))


def flexible():
    return RegexFilter(r"(-?[$0-9.,]{2,})|(-?[0-9]+)", group_select=-1)


def golden(path):
    real = sorted(set(answers(path)), key=lambda answer: (len(answer) % 7, answer))[::12]
    result = {
        "boxed": [[text, utils.remove_boxed(utils.last_boxed_only_string(text))] for text in SOLUTIONS],
        "final": [[text, utils.get_unnormalized_answer(text)] for text in RESPONSES],
        "normalized": [[text, utils.normalize_final_answer(text)] for text in [*ANSWERS, *real]],
        "strict": [[text, RegexFilter(r"#### (\-?[0-9\.\,]+)").apply([[text]], None)[0][0]] for text in FILTERED],
        "flexible": [[text, flexible().apply([[text]], None)[0][0]] for text in FILTERED],
        "exact": [[a, b, bool(exact_match_hf_evaluate([a], [b], **GSM8K)["exact_match"])] for a, b in PAIRS_EXACT],
        "exact_plain": [[a, b, bool(exact_match_hf_evaluate([a], [b], ignore_punctuation=True, ignore_numbers=True)["exact_match"])]
                        for a, b in [("a.b1", "ab"), ("A", "a"), ("5", ""), ("¿a", "a"), ("x-y_z", "xyz")]],
        "equivalent": [[a, b, equivalent(a, b)] for a, b in PAIRS_EQUIVALENT],
        "correct": [[text, answer, bool(utils.process_result_v1({"answer": answer}, text))] for text in RESPONSES for answer in ("5", r"\frac12", "")],
    }
    GOLDEN.write_text(json.dumps(result, ensure_ascii=False, indent=0) + "\n")
    print({name: len(cases) for name, cases in result.items()}, sum(case[2] for case in result["equivalent"]), "equivalent")


def fraction_as_decimal(answer):
    found = re.fullmatch(r"(-?)\\frac\{(\d+)\}\{(\d+)\}", answer)
    if found:
        return found[1] + str(int(found[2]) / int(found[3]))
    return None


def sum_in_other_order(answer):
    parts = re.findall(r"[+-]?[^+-]+", answer)
    if len(parts) < 2 or any(part.count("{") != part.count("}") or part.count("(") != part.count(")") for part in parts):
        return None
    parts = [part if part[0] in "+-" else "+" + part for part in parts]
    return "".join(reversed(parts)).removeprefix("+")


def root_unreduced(answer):
    return re.sub(r"(\d+)\\sqrt\{(\d+)\}", lambda found: f"\\sqrt{{{int(found[1]) ** 2 * int(found[2])}}}", answer)


def replaced(*changes):
    def change(answer):
        for pattern, other in changes:
            answer = re.sub(pattern, other, answer)
        return answer
    return change


def number_changed(answer):
    found = re.search(r"\d+", answer)
    return answer[:found.start()] + str(int(found[0]) + 1) + answer[found.end():] if found else None


def reduced(answer):
    found = re.fullmatch(r"(-?)\\frac\{(\d+)\}\{(\d+)\}", answer)
    return f"{found[1]}\\frac{{{3 * int(found[2])}}}{{{3 * int(found[3])}}}" if found else None


FORMS = [
    fraction_as_decimal, sum_in_other_order, root_unreduced, number_changed, reduced,
    replaced((r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"(\1)/(\2)")), replaced((r"\\frac", r"\\dfrac")), replaced((r"\(", r"\\left("), (r"\)", r"\\right)")),
    replaced((r"(\d)([a-z\\])", r"\1\\cdot \2")), replaced((r"^", "x=")), replaced((r"$", r"\\text{ units}")), replaced((r"^-", "")), replaced((r"^", "-")),
    replaced((r"$", ".")), replaced((r"\^\{?(\d)\}?", r"^{\1}")), replaced((r"^(.*)$", r"(\1)")), replaced((r"^(.*)$", r"\\sqrt{(\1)^2}")), replaced((r"\\pi", "3.14159")),
    replaced((r"(\d+)", r"\1.0")), replaced((r"^(\d+)$", r"\1^1")), replaced((r"\\sqrt\{(\d+)\}", r"\1^{1/2}")), replaced((r",", ", ")), replaced((r"^(.*)$", r"\1\\%")),
    replaced((r"^(.*)$", r"\1+1-1")), replaced((r"^(.*)$", r"2(\1)/2")), replaced((r"^(.*)$", r"\1\\cdot\\frac{\\sqrt{3}}{\\sqrt{3}}")),
]


def pairs(path, out):
    draw = random.Random(2)
    real = sorted(set(answers(path)))
    draw.shuffle(real)
    with open(out, "w") as file:
        for answer in real:
            others = [form(answer) for form in draw.sample(FORMS, 6)] + [draw.choice(real)]
            for other in others:
                if other is None:
                    continue
                a, b = utils.normalize_final_answer(other), utils.normalize_final_answer(answer)
                if a.strip() != b.strip():
                    file.write(json.dumps({"answer": a, "other": b, "equivalent": equivalent(a, b)}) + "\n")


# lm-eval gives sympy one second of the clock; a busy machine needs more, and so does the first call.
seconds_given = utils.timeout
utils.timeout = lambda seconds: seconds_given(seconds=10 * seconds)
utils.is_equiv("1", "2")
{"golden": golden, "pairs": pairs}[sys.argv[1]](*sys.argv[2:])
