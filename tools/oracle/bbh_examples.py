"""Writes src/evaluate/tasks/bbh.json: descriptions, choices and examples of BIG-Bench Hard (Suzgun et al., arXiv 2210.09261; MIT
licence), as lm-eval 0.4.13 has them in leaderboard_bbh. Prompts must agree to the letter, so they are data and not code.

    build/oracle/bin/pip install lm_eval==0.4.13 pyyaml
    build/oracle/bin/python tools/oracle/bbh_examples.py
"""
import json
import pathlib

import lm_eval
import yaml

OUT = pathlib.Path(__file__).resolve().parents[2] / "src/evaluate/tasks/bbh.json"
FOLDER = pathlib.Path(lm_eval.__file__).parent / "tasks/leaderboard/bbh_mc"

tasks = []
for path in sorted(FOLDER.glob("[a-z]*.yaml")):
    task = yaml.safe_load(path.read_text())
    tasks.append({"name": task["dataset_name"], "description": task["description"], "choices": task["doc_to_choice"],
                  "examples": [{"input": one["input"], "target": one["target"]} for one in task["fewshot_config"]["samples"]]})
OUT.write_text(json.dumps(tasks, ensure_ascii=False, indent=1) + "\n")
