"""Golden values for src/model/model_test.cpp: the gradient of an embedding row that transformers takes for padding.

    tools/oracle/setup && build/oracle/bin/python tools/oracle/pad_golden.py

Reads the models and pairs that model_golden.py wrote and names one of their tokens as pad_token_id (torch.nn.Embedding's
padding_idx). Writes src/model/testdata/pad_gradient.json: for each model the loss and the gradient of that token's row, by
PyTorch autograd in float64.
"""
import json
import pathlib

import torch
from transformers import AutoConfig, AutoModelForCausalLM

import model_golden

ROOT = pathlib.Path(__file__).resolve().parents[2] / "src/model/testdata"
PAD = 1  # the first token of every prompt


def main():
    result = {}
    for name in ("llama", "llama_tied", "mistral", "llama_bias", "llama_bias_tied", *model_golden.FAMILIES):
        config = AutoConfig.from_pretrained(ROOT / name, pad_token_id=PAD)
        model = AutoModelForCausalLM.from_pretrained(ROOT / name, config=config, attn_implementation="eager").double()
        assert model.get_input_embeddings().padding_idx == PAD
        golden = json.loads((ROOT / name / "golden.json").read_text())
        loss, _ = model_golden.simpo(model, golden["rows"])
        loss.backward()
        assert abs(loss.item() - golden["loss"]) < 1e-12
        result[name] = {"pad_token_id": PAD, "row": model.get_input_embeddings().weight.grad[PAD].tolist()}
    (ROOT / "pad_gradient.json").write_text(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
