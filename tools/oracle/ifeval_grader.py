"""IFEval's published checker (lm-eval's leaderboard_ifeval, with nltk and langdetect) beside src/grade.

    pip install lm_eval[ifeval] && python -m nltk.downloader punkt_tab
    python tools/oracle/ifeval_grader.py golden
        writes src/grade/testdata/ifeval_golden.json: hand-made answers with the checker's verdicts, and what nltk, langdetect and
        json make of texts
    python tools/oracle/ifeval_grader.py pairs IFEVAL_JSONL PAIRS_JSONL COUNT ANSWERS...
        writes COUNT pairs of a random row's instructions and a random answer, with verdicts. ANSWERS are JSON or JSON Lines, of
        which every text is an answer. Then LMPO_IFEVAL_PAIRS=PAIRS_JSONL build/release/bin/grade_test --gtest_filter=*Pairs*
        counts what differs

langdetect draws at random; here its seed is 0, as in src/grade.
"""
import json
import pathlib
import random
import sys

import langdetect
import nltk
from langdetect import DetectorFactory
from lm_eval.tasks.ifeval import instructions_util
from lm_eval.tasks.leaderboard.ifeval import utils

DetectorFactory.seed = 0
GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "src/grade/testdata/ifeval_golden.json"

GERMAN = "Das ist ein kurzer Text über das Wetter, und er ist auf Deutsch geschrieben."
HINDI = "यह हिंदी में लिखा गया एक छोटा सा पाठ है। इसमें केवल दो वाक्य हैं।"
ENGLISH = "This is a short text about the weather. It was written in English, of course!"
TEXTS = [
    ENGLISH, GERMAN, HINDI, "", " ", "\n\n", "Hello", "Mr. Smith met Dr. Jones at 5 p.m. on Jan. 5. They talked.",
    "Very bad acting!!! I promise. Really?! Yes... No... (Truly.) \"Quoted.\" Next. 'One.' Two.", "e.g. this. i.e. That. U.S. Army.",
    "He lives in the U.S. She does not. J. S. Bach wrote No. 5. In 1723. 3.5 is a number. 12. is one too. Item 4. next",
    "Wait . . . what? A. B. c. d. The end.", "“Curly quotes.” They end. «Guillemets.» Too. (He said so.) [Yes!] {No?} Fine.",
    "1. First thing\n2. Second thing\n\n3. Third thing.\n- A bullet. Another one\n* And one.\n\nIs that all?No, it is not.Right.",
    "Visit www.example.com. Or mail a.b@example.org! See https://example.com/a?b=c. Done.", "No end here", "...", "?!", ". . .", "a.b.c.",
    "Wow!I see.\u3000Yes. \u00a0So. \u2028New. \x1cOld. \x85Older.", "La Sra. López vive aquí. ¿Verdad? ¡Sí! Claro.",
    "Σίσυφος. ΌΧΙ. Тест. Ещё один! 这是一个句子。这是另一个。", "Prof. Plum vs. Inc. Corp. etc. However, Ltd. It is. St. John. Ave. The",
    "cannot gonna Gimme wanna go 'tis 'twas it's I'm you'll WE'LL don't DON'T CAN'T d'ye more'n lemme gotta 'hello' \"hi\" `x` ``y''",
    "A--B -- C; D: E, F 3,000 4:30 $5 #6 50% @me & you (parens) [b] {c} <d> ... .. . ***bold*** end.\"", "It's 5. 'Twas. \"He said 'no.'\"",
    "THE U.S. AND THE EU-27 ARE A TEAM. I AM NASA'S X-1! ΑΒΓ ÉTÉ ß ẞ Ǆ ǅ ª Ⅷ ⓐ Ⓐ", "½ cup, x² and १२ under_score zero\u200dwidth naïve e\u0301",
    "NASA AND ESA ARE SPACE AGENCIES", "12345 67890 !!!", "http://a.b", "日本語のテキストです。", "中文文本在这里，没有别的。", "한국어 텍스트입니다.",
    "Đây là một văn bản tiếng Việt ngắn.", "A\u0300e\u0301 Vie\u0302\u0323t Nam", "Це короткий текст українською мовою.", "Это короткий текст.",
    "یہ اردو میں ایک مختصر متن ہے۔", "این یک متن کوتاه فارسی است.", "هذا نص قصير باللغة العربية.", "זה טקסט קצר בעברית.", "ça va bien merci",
    "Ceci est un texte court.", "Este es un texto corto en español.", "Este é um texto curto em português.", "Questo è un testo breve.",
    "นี่คือข้อความสั้น ๆ", "এটি একটি ছোট লেখা।", "இது ஒரு சிறிய உரை.", "ఇది ఒక చిన్న వచనం.", "ಇದು ಒಂದು ಸಣ್ಣ ಪಠ್ಯ.", "ഇതൊരു ചെറിയ വാചകമാണ്.",
    "આ એક ટૂંકું લખાણ છે.", "ਇਹ ਇੱਕ ਛੋਟਾ ਪਾਠ ਹੈ।", "हा एक छोटा मजकूर आहे.", "यो एउटा छोटो पाठ हो।", "Hii ni maandishi mafupi kwa Kiswahili.",
    "Tämä on lyhyt teksti.", "To jest krótki tekst.", "Това е кратък текст.", "ok", "the the the", "a", "É", "Ⓐ Ⓑ", "text mostly 这是 中文 文字 的 文本 没有",
]
JSON_TEXTS = [
    "{}", "[]", "null", "true", "false", "nul", "NaN", "-Infinity", "Infinity", "-NaN", "1", "-1", "01", "1.", ".5", "1.5e3", "1e+", "1E-2", "+1",
    "-", "-0", "1e999", "9" * 4300, "9" * 4301, "9" * 4301 + ".0", '"a"', '"a', "'a'", '"\\u12"', '"\\u1g34"', '"\\ud800"', '"\\x"', '"\t"', '"\x7f"',
    '"\\/\\b\\n"', "[1,2]", "[1,]", "[,]", "[1 2]", "[1", '{"a":1}', '{"a" : 1 , "b":[{}]}', '{"a":1,}', '{"a"}', "{a:1}", '{1:2}', '{"a":1 "b":2}', "{} x",
    " \n\t{}\r ", "\ufeff{}", "\u00a0{}", "", "[[[[]]]]", '{"a":1,"a":2}', "{}{}", '["\u2028"]', "[1.0.0]", "1_000", "[-]", "tru e", "/**/1",
]

# Instruction -> list of (parameters, answers).
COUNTED = {"relation": "at least"}, {"relation": "less than"}
CASES = {
    "keywords:existence": [({"keywords": ["weather", "course"]}, [ENGLISH, ENGLISH.upper(), "weather", "*weather* of\ncourse", "Wea*ther course"]),
                           ({"keywords": ["art"]}, ["to start", "ar t", "ÄRT"]), ({"keywords": ["a.c", "x+"]}, ["abc xx", "abd x", "a\nc x"])],
    "keywords:frequency": [({"keyword": " the ", "frequency": 3, **each}, ["the cat, the dog, then", "The THE the the", "no", "the", "breathe the"])
                           for each in COUNTED],
    "keywords:forbidden_words": [({"forbidden_words": ["bad", "worse"]}, ["good", "bad", "BAD.", "badly", "wor*se", "worse\nline", "so_bad", "bad-ly"])],
    "keywords:letter_frequency": [({"letter": "A", "let_frequency": 3, "let_relation": each["relation"]}, ["banana", "BANANA", "bana", "ÀÁÂ", "a\na\na*a"])
                                  for each in COUNTED],
    "language:response_language": [({"language": code}, [ENGLISH, GERMAN, HINDI, "123", "*" + GERMAN + "*", ENGLISH + "\n" + HINDI * 3 + "\n" + ENGLISH])
                                   for code in ("de", "en", "hi")],
    "length_constraints:number_sentences": [({"num_sentences": 2, **each}, [ENGLISH, "One.", "One. Two. Three.", "Mr. X is here.", "Yes! No? Dr. No.", HINDI])
                                            for each in COUNTED],
    "length_constraints:number_paragraphs": [({"num_paragraphs": 2}, ["a\n***\nb", "a***b", "a***b***c", "***a***b***", "a******b", "a\n***\n \n***\nb", "a",
                                                                      "intro\n***\na\n***\nb"])],
    "length_constraints:number_words": [({"num_words": 5, **each}, ["one two three four five", "one two three four", "one-two three's four", HINDI, "a\nb c d e f",
                                                                    "½ ½ ½ ½ ½"]) for each in COUNTED],
    "length_constraints:nth_paragraph_first_word": [
        ({"num_paragraphs": 3, "nth_paragraph": 2, "first_word": "Blue"},
         ["a\n\nBlue sky\n\nc", "a\n\n'blue, sky\n\nc", "a\n\n\"Blue\" sky\n\nc", "a\n\nbluish\n\nc", "a\n\nblue", "a\n\n\n\nblue\n\nc", "x\na\n\nblue\n\nc",
          "a\n\nblue's\n\nc\n\n", "\n\nblue\n\nb\n\nc", "a\n\n*blue*\n\nc", "a\n\n\"'blue\n\nc", "a\n\n'\"blue\n\nc"])],
    "detectable_content:number_placeholders": [({"num_placeholders": 2}, ["[a] and [b]", "[a]", "[a\n] [b] [c", "[[a] b] [c]", "[][]", "[*a] [b]"])],
    "detectable_content:postscript": [({"postscript_marker": "P.S."}, ["Text.\nP.S. more", "p. s. x", "p.s", "PS", "grip. s. no", "P.\nS. x", "P.*S. x"]),
                                      ({"postscript_marker": "P.P.S"}, ["x\nP.P.S more", "p. p. s", "P.P S", "P.S. x", "P.P.*S"]),
                                      ({"postscript_marker": " Note: "}, ["x\nnote: y", "Note", "NOTE:"])],
    "detectable_format:number_bullet_lists": [
        ({"num_bullets": 2}, ["* a\n* b", "- a\n- b", "* a\n- b", "** a\n* b\n* c", "* a\n\n\n  * b", "*a*\n- b", "* a", "-\n*\n- a", "- a\n-- b\n--- c",
                              "*\n- a\n- b", "1. a\n* b\n\x85* c", "Intro:\n* a\n* b\n- c", "\n \n\t* a\r\n* b"])],
    "detectable_format:constrained_response": [({}, ["My answer is yes.", "I say: My answer is no. So.", "My answer is Maybe.", "yes", "My answer\nis maybe.",
                                                     "My answer is *maybe*."])],
    "detectable_format:number_highlighted_sections": [({"num_highlights": 2}, ["*a* *b*", "**a**", "*a*", "**a** b **c**", "***a***", "* a\n* b", "**** ** *x*",
                                                                              "*a\n* b*", "*a* x\n*b*", "**a**b**c"])],
    "detectable_format:multiple_sections": [({"section_spliter": "Section", "num_sections": 2},
                                             ["Section 1\na\nSection 2\nb", "Section 1", "section 1 section 2", "Section1Section2", "**Section 1** x **Section 2**",
                                              "Section A Section B", "Sec*tion 1 Section 2"]),
                                            ({"section_spliter": " PART ", "num_sections": 1}, ["PART 7", "PART VII", "COMPARTMENT PART\u00a03"])],
    "detectable_format:json_format": [({}, ["{\"a\": 1}", "```json\n{\"a\": 1}\n```", "```JSON []```", "```\n[1]\n```", "Here: {}", "```json\n{}", "Sure!\n{\"a\": 1}",
                                            "{}\nDone", "```Json null```", "{\"a\": *1*}", "text", "```json```json{}"])],
    "detectable_format:title": [({}, ["<<a title>>\nx", "<title>", "<< >>", "<<>>", "<<a\nb>>", "x <<a>> y <<b>>", "<<<<>>>>", "<<*>>", "<< <x> >>"])],
    "combination:two_responses": [({}, ["a******b", "a******a", "a\n******\nb\n******", "******a******b", "a******b******c", "a************b", "a", "a ****** b ", "a***b",
                                        "x******a\n******\n"])],
    "combination:repeat_prompt": [({"prompt_to_repeat": " Say hello. "}, ["Say hello. Hello!", "say HELLO. hi", "Hello!", "Sure:\nSay hello. Hi", "Say *hello*. Hi", "Say hello"])],
    "startend:end_checker": [({"end_phrase": "Is that all?"}, ["Yes. Is that all?", "is THAT all?\n", "\"Is that all?\"", "Is that all? Yes", "Is that all?\nBye", "Is that all? \"",
                                                               "Is that *all?*", "“Is that all?”"])],
    "startend:quotation": [({}, ["\"a\"", " \"a\"\n", "\"a", "a\"", "\"", "\"\"", "“a”", "*\"a\"*", "Sure:\n\"a\""])],
    "change_case:capital_word_frequency": [({"capital_frequency": 2, "capital_relation": each["relation"]}, ["I AM here", "I am", "NASA and U.S. and ESA's", "WELL-KNOWN thing", "none", "A1 B2 3",
                                                                                                             "DON'T", "A.B. C", "ÀB Γ"]) for each in COUNTED],
    "change_case:english_capital": [({}, [ENGLISH.upper(), ENGLISH, GERMAN.upper(), "ALL CAPITALS ARE HERE, AS THEY SHOULD BE", "123", "I", "Note:\n" + ENGLISH.upper()])],
    "change_case:english_lowercase": [({}, [ENGLISH.lower(), ENGLISH, GERMAN.lower(), "123", "ok", "Note:\n" + ENGLISH.lower(), "the weather ª is fine today and the sun is out"])],
    "punctuation:no_comma": [({}, ["none here", "one, here", "one, here\nnone there", "，"])],
}


def verdicts(row, answer):
    example = utils.InputExample(0, row["instruction_id_list"], row.get("prompt", ""), row["kwargs"])
    return (utils.test_instruction_following_strict(example, answer).follow_instruction_list,
            utils.test_instruction_following_loose(example, answer).follow_instruction_list)


def language(text):
    try:
        return langdetect.detect(text)
    except langdetect.LangDetectException:
        return None


def is_json(text):
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def found_in(text):
    return {"sentences": nltk.sent_tokenize(text), "tokens": nltk.word_tokenize(text), "words": instructions_util.count_words(text),
            "language": language(text)}


def golden():
    cases = []
    for kind, groups in CASES.items():
        outcomes = set()
        for parameters, answers in groups:
            for answer in [*answers, "", " \n"]:
                strict, loose = verdicts({"instruction_id_list": [kind], "kwargs": [parameters]}, answer)
                outcomes.add(strict[0])
                cases.append({"id": kind, "parameters": parameters, "answer": answer, "strict": strict[0], "loose": loose[0]})
        assert outcomes == {True, False}, kind
    texts = [{"text": text, **found_in(text), "upper": text.isupper(), "lower": text.islower()} for text in TEXTS]
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(json.dumps({"cases": cases, "texts": texts, "json": [{"text": text, "is_json": is_json(text)} for text in JSON_TEXTS]},
                                 ensure_ascii=False, indent=0) + "\n")
    print(len(cases), "cases,", len(texts), "texts,", len(JSON_TEXTS), "JSON texts")


def texts_in(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from texts_in(each)


def answers_of(paths):
    for path in paths:
        content = pathlib.Path(path).read_text()
        try:
            yield from texts_in(json.loads(content))
        except ValueError:
            for line in content.splitlines():
                yield from texts_in(json.loads(line))


def pairs(rows, out, count, *answer_files):
    rows = [json.loads(line) for line in open(rows)]
    # Two rows ask for a letter that is none, which lm-eval replaces at random.
    instructions = [(kind, given) for row in rows for kind, given in zip(row["instruction_id_list"], row["kwargs"])
                    if given.get("letter", "a").isalpha()]
    answers = sorted({text for text in answers_of(answer_files) if len(text) > 20})
    draw = random.Random(1)
    with open(out, "w") as file:
        for _ in range(int(count)):
            chosen = draw.sample(instructions, 8)
            answer = draw.choice(answers)
            change = draw.randrange(8)  # some in one case, quoted or with a title, so that rare verdicts occur
            answer = [answer, answer, answer, answer.upper(), answer.lower(), f'"{answer}"', f"<<Title>>\n{answer}\n\nP.S. {answer[:40]}", answer.replace(",", "")][change]
            row = {"instruction_id_list": [kind for kind, _ in chosen], "kwargs": [given for _, given in chosen]}
            strict, loose = verdicts(row, answer)
            file.write(json.dumps({**row, "answer": answer, "strict": strict, "loose": loose, **found_in(answer)}) + "\n")


{"golden": golden, "pairs": pairs}[sys.argv[1]](*sys.argv[2:])
