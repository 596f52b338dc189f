"""Golden values for src/evaluate/*_test.cpp: requests and scores of lm-eval itself, on small files of made-up rows.

    build/oracle/bin/pip install lm_eval==0.4.13 datasets jinja2
    build/oracle/bin/python tools/oracle/eval_golden.py

Writes rows and golden.json into src/evaluate/testdata/. Replies are scripted: log-likelihoods are those of a generator seeded with 42,
answers come from ANSWERS. No model is needed.
"""
import json
import pathlib
import random

import jinja2
from lm_eval import evaluator_utils
from lm_eval.api import metrics
from lm_eval.tasks import TaskManager

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "src/evaluate/testdata"
CHATML = ROOT / "src/data/testdata/chatml/chat_template.jinja"
WORDS = ["river", "stone", "light", "caf\u00e9", "na\u00efve", "two words", "a, b", "it's", "\"quoted\"", "\u4e2d\u6587", "x < y", "50%",
         "Line\nbreak", "dot.", " lead", "{braces}", "back\\slash", "tab\tin"]
ANSWERS = ["The sum is 4.\n#### 4", "#### 1,234.", "so $1,234 in all", "nothing here", "#### -7 and 12", "", "\u0663 apples #### .", "It costs $5.50."]
random_rows = random.Random(7)
MANAGER = TaskManager()


def phrase(count=3):
    return " ".join(random_rows.choice(WORDS) for _ in range(count))


def arc(i):
    count = 4 if i % 5 else 3
    labels = list("ABCDE"[:count]) if i % 3 else [str(k + 1) for k in range(count)]
    return {"id": f"q{i}", "question": phrase(5), "choices": {"text": [phrase(2) for _ in labels], "label": labels}, "answerKey": labels[i % count]}


def truthfulqa(i):
    def targets(labels):
        return {"choices": [phrase(2 + k) for k in range(len(labels))], "labels": labels}
    return {"question": phrase(4) + "?", "mc1_targets": targets([1, 0, 0]), "mc2_targets": targets([1, 1, 0, 0, 0] if i % 2 else [1, 0, 1, 0])}


def winogrande(i):
    return {"sentence": phrase(3) + " because _ was " + phrase(2) + " . ", "option1": phrase(1), "option2": phrase(1), "answer": str(i % 2 + 1)}


def gsm8k(i):
    return {"question": phrase(6), "answer": f"{phrase(4)} <<1+{i}={1 + i}>>\n#### {['4', '1,234', '-7', '12', '5.50'][i % 5]}"}


def hellaswag(i):
    return {"ind": i, "activity_label": phrase(1), "ctx_a": phrase(2) + " [title] Next [step] " + phrase(1), "ctx_b": "\u00e9TRE " + phrase(2), "ctx": "",
            "endings": [phrase(2) + "  [substeps] " + phrase(1) for _ in range(4)], "source_id": "s", "split": "val", "split_type": "x", "label": str(i % 4)}


def piqa(i):
    return {"goal": phrase(3), "sol1": phrase(2), "sol2": phrase(3), "label": i % 2}


def boolq(i):
    return {"question": phrase(2), "passage": phrase(6), "idx": i, "label": i % 2}


def mmlu(i):
    return {"question": " " + phrase(4) + " ", "subject": "anatomy", "choices": [phrase(1) for _ in range(4)], "answer": i % 4}


def mmlu_pro(i):
    return {"question_id": i, "question": phrase(4), "options": [phrase(2) for _ in range(3 + i % 8)], "answer": "ABC"[i % 3], "answer_index": i % 3,
            "cot_content": "", "category": "math", "src": "s"}


def bbh(i):
    return {"input": phrase(4), "target": str(i * 3 % 20)}


def bbh_letters(i):
    return {"input": phrase(4) + "\nOptions:\n(A) x\n(B) y", "target": ["(A)", "(B)", "(C)"][i % 3]}


def musr(i):
    choices = [phrase(1), phrase(2), "it's \"so\""]
    return {"narrative": phrase(9), "question": phrase(3), "choices": str(choices), "answer_index": i % 3, "answer_choice": choices[i % 3]}


# Task, row maker, rows of the evaluated split, rows that examples come from, splits, and the runs: options of lm-eval.
PLAIN, CHAT = {}, {"apply_chat_template": True}
CHAT_ONE_TURN = {"apply_chat_template": True, "fewshot_as_multiturn": False, "system_instruction": "Be brief."}
CASES = [
    ("arc_challenge", arc, 4, 30, ("test", "train"), [PLAIN, {"num_fewshot": 25}, {"num_fewshot": 2, **CHAT}, {"num_fewshot": 2, **CHAT_ONE_TURN}]),
    ("arc_easy", arc, 3, 80, ("test", "train"), [{"num_fewshot": 3, "system_instruction": "Be brief."}]),
    ("truthfulqa_mc1", truthfulqa, 4, 0, ("validation", None), [PLAIN, {"num_fewshot": 3}, CHAT]),
    ("truthfulqa_mc2", truthfulqa, 4, 0, ("validation", None), [PLAIN]),
    ("winogrande", winogrande, 4, 40, ("validation", "train"), [PLAIN, {"num_fewshot": 5}, {"num_fewshot": 1, **CHAT}]),
    ("gsm8k", gsm8k, 8, 60, ("test", "train"), [PLAIN, {"num_fewshot": 1, **CHAT}]),
    ("hellaswag", hellaswag, 3, 9, ("validation", "train"), [PLAIN, {"num_fewshot": 2}]),
    ("piqa", piqa, 3, 9, ("validation", "train"), [{"num_fewshot": 4}]),
    ("boolq", boolq, 3, 9, ("validation", "train"), [PLAIN, {"num_fewshot": 1}]),
    ("mmlu_anatomy", mmlu, 3, 5, ("test", "dev"), [PLAIN, {"num_fewshot": 5}]),
    ("leaderboard_mmlu_pro", mmlu_pro, 4, 6, ("test", "validation"), [PLAIN]),
    ("leaderboard_bbh_object_counting", bbh, 4, 0, ("test", None), [PLAIN]),
    ("leaderboard_bbh_snarks", bbh_letters, 4, 0, ("test", None), [PLAIN, {"num_fewshot": 1}]),
    ("leaderboard_musr_team_allocation", musr, 4, 0, ("team_allocation", None), [PLAIN, {"num_fewshot": 2}]),
]


def write_rows(task, make, counts, splits):
    files = {}
    for count, split in zip(counts, splits):
        if split:
            rows = [make(i) for i in range(count)]
            files[split] = str(OUT / f"{task}_{split}.jsonl")
            pathlib.Path(files[split]).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return files


def render(messages, add_generation_prompt=True):
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(CHATML.read_text()).render(messages=messages, add_generation_prompt=add_generation_prompt,
                                                              bos_token="<s>", eos_token="</s>")


def load(task, files):
    overrides = {"dataset_path": "json", "dataset_name": None, "dataset_kwargs": {"data_files": files}}
    return MANAGER._factory.build(MANAGER._entry(task), overrides=overrides, registry=MANAGER._index)


def run(task_name, files, options):
    task = load(task_name, files)
    shots = options.get("num_fewshot")
    if shots is not None and task.get_config("num_fewshot") != 0:
        task.set_config(key="num_fewshot", value=shots)
    elif task.get_config("num_fewshot") is None:
        task.set_config(key="num_fewshot", value=0)
    task.set_fewshot_seed(seed=1234)
    chat = options.get("apply_chat_template", False)
    task.build_all_requests(system_instruction=options.get("system_instruction"), apply_chat_template=chat,
                            fewshot_as_multiturn=options.get("fewshot_as_multiturn", chat), chat_template=render if chat else None)
    scripted = random.Random(42)
    for number, instance in enumerate(task.instances):
        generates = instance.request_type == "generate_until"
        instance.resps.append(ANSWERS[number % len(ANSWERS)] if generates else (-scripted.random(), scripted.random() < 0.5))
    task.apply_filters()
    documents, raw = [], {}
    for doc_id, doc in enumerate(task.eval_docs):
        own = [instance for instance in task.instances if instance.doc_id == doc_id]
        scores = {}
        for key in own[0].filtered_resps:
            values = task.process_results(doc, [instance.filtered_resps[key] for instance in own])
            scores[key] = {name: float(value) for name, value in values.items()}
            for name, value in values.items():
                raw.setdefault((name, key), []).append(value)
        documents.append({"requests": [list(instance.args) for instance in own], "scores": scores,
                          "filtered": {key: [instance.filtered_resps[key] for instance in own] for key in own[0].filtered_resps}})
    aggregated, _ = evaluator_utils._compute_task_aggregations(task, raw)
    return {"task": task_name, "options": options, "documents": documents, "results": aggregated}


def main():
    runs = []
    for task, make, *counts, splits, options in CASES:
        files = write_rows(task, make, counts, splits)
        runs += [run(task, files, one) for one in options]
    groups = [{"values": values, "stderrs": stderrs, "sizes": sizes, "value": metrics.aggregate_subtask_metrics(values, sizes),
               "stderr": float(metrics.pooled_sample_stderr(stderrs, sizes))}
              for values, stderrs, sizes in (([0.25, 0.5], [0.01, 0.02], [100, 250]), ([1.0], [0.125], [9]), ([0, 0.3, 1], [0, 0.1, 0.2], [2, 3, 4]))]
    (OUT / "golden.json").write_text(json.dumps({"answers": ANSWERS, "groups": groups, "runs": runs}, ensure_ascii=False, indent=0) + "\n")


if __name__ == "__main__":
    main()
