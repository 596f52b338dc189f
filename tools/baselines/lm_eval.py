"""The time of lmpo eval beside that of lm-eval on transformers, on three shapes of tasks made of ARC's questions.

    build/oracle/bin/pip install lm_eval==0.4.13 accelerate
    build/oracle/bin/python tools/baselines/lm_eval.py build/release/bin/lmpo MODEL arc_challenge_test.jsonl [--documents N] [SHAPE...]

SHAPE: arc (25 examples of their own before each question, choices of several tokens), bbh (three examples before all questions, up to six
choices of several tokens), mmlu_pro (five examples before all questions, ten choices of one token). Both compute in float32 on all
processors and read the same files; tools/oracle/eval_harness.py compares their replies as well.
"""
import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile

COMPARE = pathlib.Path(__file__).resolve().parents[1] / "oracle/eval_harness.py"
LETTERS = "ABCDEFGHIJ"


def write(folder, name, rows):
    (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def arc(folder, rows, count):
    write(folder, "arc_challenge_test", rows[:count])
    write(folder, "arc_challenge_train", rows[count:])
    return "arc_challenge", ["--num_fewshot", "25"]


def bbh(folder, rows, count):
    """As long as BIG-Bench Hard's: two questions at a time, with options (A) to (D) below."""
    def row(index):
        first, second = rows[2 * index], rows[2 * index + 1]
        options = "".join(f"\n({letter}) {text}" for letter, text in zip(LETTERS, second["choices"]["text"]))
        return {"input": f"{first['question']} {second['question']}\nOptions:{options}", "target": f"({random.choice(LETTERS[:4])})"}
    write(folder, "leaderboard_bbh_date_understanding_test", [row(index) for index in range(count)])
    return "leaderboard_bbh_date_understanding", []


def mmlu_pro(folder, rows, count):
    def row(index):
        options = [text for row in rows[3 * index:3 * index + 3] for text in row["choices"]["text"]][:10]
        answer = index % len(options)
        return {"question_id": index, "question": rows[3 * index]["question"], "options": options, "answer": LETTERS[answer],
                "answer_index": answer, "cot_content": "", "category": "science", "src": "arc"}
    write(folder, "leaderboard_mmlu_pro_test", [row(index) for index in range(count)])
    write(folder, "leaderboard_mmlu_pro_validation", [row(count + index) for index in range(5)])
    return "leaderboard_mmlu_pro", []


SHAPES = {"arc": arc, "bbh": bbh, "mmlu_pro": mmlu_pro}


def main():
    parser = argparse.ArgumentParser()
    for name in ("lmpo", "model", "questions"):
        parser.add_argument(name)
    parser.add_argument("shapes", nargs="*", default=list(SHAPES))
    parser.add_argument("--documents", type=int, default=20)
    given = parser.parse_args()
    rows = [json.loads(line) for line in open(given.questions)]
    random.seed(1)
    for shape in given.shapes:
        with tempfile.TemporaryDirectory() as folder:
            task, options = SHAPES[shape](pathlib.Path(folder), rows, given.documents)
            print(f"{shape}, {given.documents} documents", flush=True)
            subprocess.run([sys.executable, COMPARE, given.lmpo, given.model, folder, task, *options], check=True)


if __name__ == "__main__":
    main()
