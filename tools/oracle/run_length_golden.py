"""Golden values for src/train/run_length_test.cpp: lengths of runs, and what happens at which step, by transformers' own code.

    build/oracle/bin/python tools/oracle/run_length_golden.py > src/train/testdata/run_lengths.json
"""
import json
from types import SimpleNamespace

from torch.utils.data import DataLoader
from transformers import Trainer, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_callback import DefaultFlowCallback


def run(examples, batch, accumulation, **options):
    given = {"num_train_epochs": 3.0, "max_steps": -1, "warmup_steps": 0, "logging_steps": 10,
             "eval_strategy": "no", "eval_steps": None, "save_strategy": "steps",
             "save_steps": 500} | options
    args = SimpleNamespace(
        per_device_train_batch_size=batch, gradient_accumulation_steps=accumulation,
        logging_strategy="steps", logging_first_step=False, eval_delay=0, **given)
    if args.eval_strategy == "steps" and args.eval_steps is None:
        args.eval_steps = args.logging_steps  # as TrainingArguments.__post_init__
    loader = DataLoader(range(examples), batch_size=batch)
    trainer = SimpleNamespace(get_sp_size=lambda: 1,
                              get_total_train_batch_size=lambda args: batch * accumulation,
                              num_examples=lambda loader: len(loader.dataset))
    _, steps_per_epoch, _, _, _, _, total = Trainer.set_initial_training_values(
        trainer, args, loader)
    state = TrainerState(max_steps=total)
    state.compute_steps(args, total)
    due = {"log": [], "evaluate": [], "save": []}
    callback = DefaultFlowCallback()
    for step in range(1, total + 1):
        state.global_step, state.epoch = step, step / steps_per_epoch
        control = callback.on_step_end(args, state, TrainerControl())
        if step % steps_per_epoch == 0 or step == total:
            control = callback.on_epoch_end(args, state, control)
        for what, steps in due.items():
            if getattr(control, f"should_{what}"):
                steps.append(step)
    return {"examples": examples, "batch": batch, "accumulation": accumulation, **given,
            "expected": {"steps_per_epoch": steps_per_epoch, "total": total,
                         "warmup": TrainingArguments.get_warmup_steps(args, total), **due}}


print(json.dumps([
    run(83, 4, 2, logging_steps=5, save_steps=7),
    run(80, 4, 2, num_train_epochs=2.0, eval_strategy="steps", logging_steps=4, warmup_steps=3),
    run(80, 8, 1, num_train_epochs=0.25, save_strategy="no", warmup_steps=0.1, logging_steps=1),
    run(81, 2, 4, num_train_epochs=1.3, logging_steps=0.1, eval_strategy="steps", eval_steps=0.25,
        save_steps=0.33, warmup_steps=0.033),
    run(30, 8, 2, max_steps=17, eval_strategy="epoch", save_strategy="epoch", logging_steps=3),
    run(7, 8, 4, num_train_epochs=5.0, eval_strategy="epoch", save_strategy="epoch"),
    run(1000, 1, 1, max_steps=100, logging_steps=0.07, save_steps=0.07, eval_strategy="steps",
        eval_steps=0.29, warmup_steps=0.29),
    run(100, 10, 1, max_steps=1, logging_steps=0.5, save_steps=0.5, warmup_steps=0.5),
]))
