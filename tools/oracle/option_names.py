#!/usr/bin/env python3
"""Checks that every option of TRL's preference trainers is an option, an alias or an explained key of lmpo.

    pip install --no-deps trl transformers                  (their sources are read, not run)
    python3 tools/oracle/option_names.py [build/release/bin/lmpo]

Writes a recipe with every field of DPOConfig, CPOConfig, ORPOConfig, KTOConfig, SFTConfig, TrainingArguments, ModelConfig and
ScriptArguments, each null, and asks `lmpo validate --json` which of them it does not know. Exits with 1 if there are any.
"""

import ast
import collections
import importlib.metadata
import importlib.util
import json
import pathlib
import subprocess
import sys
import tempfile

CLASSES = {
    "transformers": {"training_args.py": ["TrainingArguments"]},
    "trl": {
        "trainer/base_config.py": ["_BaseConfig"],
        "trainer/dpo_config.py": ["DPOConfig"],
        "trainer/kto_config.py": ["KTOConfig"],
        "trainer/sft_config.py": ["SFTConfig"],
        "trainer/model_config.py": ["ModelConfig"],
        "scripts/utils.py": ["ScriptArguments"],
        "experimental/cpo/cpo_config.py": ["CPOConfig"],
        "experimental/orpo/orpo_config.py": ["ORPOConfig"],
    },
}


def fields(path, name):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef) and node.name == name:
            return [
                item.target.id
                for item in node.body
                if isinstance(item, ast.AnnAssign) and "ClassVar" not in ast.unparse(item.annotation)
            ]
    sys.exit(f"{path}: there is no class {name}")


def main():
    lmpo = sys.argv[1] if len(sys.argv) > 1 else "build/release/bin/lmpo"
    where = collections.defaultdict(list)
    for package, files in CLASSES.items():
        root = pathlib.Path(importlib.util.find_spec(package).origin).parent
        for file, names in files.items():
            for name in names:
                for field in fields(root / file, name):
                    where[field].append(name)
    with tempfile.TemporaryDirectory() as folder:
        recipe = pathlib.Path(folder) / "all.yaml"
        recipe.write_text("".join(f"{field}: null\n" for field in where))
        out = subprocess.run([lmpo, "validate", str(recipe), "--json"], capture_output=True, text=True)
        findings = json.loads(out.stdout)["findings"]
    unknown = [f for f in findings if f["name"] in ("option_unknown", "option_invalid", "recipe_unreadable")]
    for finding in unknown:
        print(f"{finding['place']}: {finding['reason']}")
    reasons = sum(f["name"] == "option_not_used" for f in findings)
    versions = ", ".join(f"{package} {importlib.metadata.version(package)}" for package in CLASSES)
    print(f"{versions}: {len(where)} names, {len(where) - reasons - len(unknown)} of them options here, "
          f"{reasons} keys with a reason, {len(unknown)} unknown")
    sys.exit(1 if unknown else 0)


if __name__ == "__main__":
    main()
