"""Small random models of every family that lmpo reads, made by transformers: what the other scripts here compare with.

    build/oracle/bin/python tools/oracle/make_families.py OUT [--only NAME...] [--vocab-size 400] [--tokenizer FOLDER]

Writes OUT/NAME for each NAME of `VARIANTS`. The variants of a family together cover grouped keys, odd sizes, tied and untied heads,
biases, and every switch of its config.json; windows, softcaps and rotary lengths are so small that short texts reach them. Norms and
biases are random too. The same NAME, sizes and seed give the same weights. --tokenizer copies a tokenizer's files beside each.
Scripts import `VARIANTS` and `make`.
"""
import argparse
import pathlib
import shutil
import zlib

import torch
from transformers import AutoConfig, AutoModelForCausalLM, Gemma3ForConditionalGeneration, Mistral3ForConditionalGeneration

SIZES = dict(hidden_size=48, intermediate_size=88, num_hidden_layers=4, num_attention_heads=4, num_key_value_heads=2,
             max_position_embeddings=1024, bos_token_id=0, eos_token_id=1, pad_token_id=None, initializer_range=0.15)
TEXT_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja")

LLAMA3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64,
              rope_theta=10000.0)
YARN = dict(rope_type="yarn", rope_theta=10000.0, factor=8.0, original_max_position_embeddings=128)
LINEAR = dict(rope_type="linear", rope_theta=10000.0, factor=2.5)
BY_LAYER = dict(sliding_attention=dict(rope_type="default", rope_theta=100.0),
                full_attention=dict(rope_type="linear", rope_theta=10000.0, factor=4.0))


def longrope(rotated, original):
    half = rotated // 2
    return dict(rope_type="longrope", rope_theta=10000.0, short_factor=[1 + 0.02 * i for i in range(half)],
                long_factor=[1 + 0.7 * i for i in range(half)], original_max_position_embeddings=original)


# name: config.json's keys besides SIZES. "text" makes a multimodal model with this text part.
VARIANTS = {
    "llama": dict(model_type="llama"),
    "llama_bias_tied": dict(model_type="llama", attention_bias=True, mlp_bias=True, tie_word_embeddings=True),
    "llama_llama3": dict(model_type="llama", head_dim=20, rope_parameters=LLAMA3),
    "llama_linear": dict(model_type="llama", rope_parameters=LINEAR),
    "llama_dynamic": dict(model_type="llama", rope_parameters=LINEAR | dict(rope_type="dynamic")),
    "llama_yarn": dict(model_type="llama", rope_parameters=YARN | dict(beta_fast=16, beta_slow=2.0)),
    "mistral": dict(model_type="mistral", sliding_window=7, head_dim=16),
    "mistral_full": dict(model_type="mistral", sliding_window=None, tie_word_embeddings=True),
    "ministral3": dict(model_type="ministral3", head_dim=14, sliding_window=None,
                       rope_parameters=YARN | dict(original_max_position_embeddings=16, mscale=1.0, mscale_all_dim=1.0,
                                                   beta_fast=4.0, beta_slow=1.0, llama_4_scaling_beta=0.1)),
    "mistral3": dict(text=dict(model_type="mistral", sliding_window=None, head_dim=16), tie_word_embeddings=False),
    "qwen2": dict(model_type="qwen2", tie_word_embeddings=True),
    "qwen2_window": dict(model_type="qwen2", use_sliding_window=True, sliding_window=6, max_window_layers=2),
    "qwen2_yarn": dict(model_type="qwen2", rope_parameters=YARN | dict(truncate=False)),
    "qwen3": dict(model_type="qwen3", head_dim=18, num_attention_heads=3, num_key_value_heads=1),
    "qwen3_bias_tied": dict(model_type="qwen3", head_dim=16, attention_bias=True, use_sliding_window=True, sliding_window=5,
                            max_window_layers=1, tie_word_embeddings=True),
    "gemma": dict(model_type="gemma", head_dim=20, num_key_value_heads=1),
    "gemma_bias_untied": dict(model_type="gemma", head_dim=12, attention_bias=True, tie_word_embeddings=False),
    "gemma2": dict(model_type="gemma2", head_dim=16, query_pre_attn_scalar=24, sliding_window=6, attn_logit_softcapping=3.0,
                   final_logit_softcapping=4.0),
    "gemma2_uncapped": dict(model_type="gemma2", head_dim=10, sliding_window=9, attn_logit_softcapping=None, attention_bias=True,
                            final_logit_softcapping=None, layer_types=["full_attention"] * 3 + ["sliding_attention"]),
    "gemma3_text": dict(model_type="gemma3_text", head_dim=16, query_pre_attn_scalar=20, sliding_window=6,
                        layer_types=["sliding_attention", "sliding_attention", "full_attention", "sliding_attention"],
                        rope_parameters=BY_LAYER),
    "gemma3_capped": dict(model_type="gemma3_text", head_dim=12, query_pre_attn_scalar=12, sliding_window=9, num_hidden_layers=7,
                          attn_logit_softcapping=5.0, final_logit_softcapping=3.0, attention_bias=True),
    "gemma3": dict(text=dict(model_type="gemma3_text", head_dim=16, query_pre_attn_scalar=16, sliding_window=6,
                             sliding_window_pattern=2)),
    "phi3": dict(model_type="phi3", num_key_value_heads=4),
    "phi3_partial_tied": dict(model_type="phi3", tie_word_embeddings=True, sliding_window=8, num_attention_heads=3,
                              num_key_value_heads=1, rope_parameters=dict(rope_type="default", rope_theta=10000.0,
                                                                          partial_rotary_factor=0.75)),
    "phi3_longrope": dict(model_type="phi3", original_max_position_embeddings=24,
                          rope_parameters=longrope(12, 24)),
    "phi3_longrope_partial": dict(model_type="phi3", num_attention_heads=2, num_key_value_heads=1,
                                  original_max_position_embeddings=24,
                                  rope_parameters=longrope(18, 24) | dict(partial_rotary_factor=0.75)),
    "olmo2": dict(model_type="olmo2"),
    "olmo2_bias_tied": dict(model_type="olmo2", attention_bias=True, tie_word_embeddings=True, num_attention_heads=3,
                            num_key_value_heads=1),
    "olmo3": dict(model_type="olmo3", sliding_window=6,
                  rope_parameters=dict(sliding_attention=dict(rope_type="default", rope_theta=10000.0), full_attention=YARN)),
    "olmo3_tied": dict(model_type="olmo3", sliding_window=9, tie_word_embeddings=True,
                       layer_types=["full_attention", "sliding_attention"] * 2),
    "smollm3": dict(model_type="smollm3"),
    "smollm3_bias_untied": dict(model_type="smollm3", no_rope_layers=[0, 1, 0, 1], use_sliding_window=True, sliding_window=7,
                                attention_bias=True, mlp_bias=True, tie_word_embeddings=False),
    "granite": dict(model_type="granite", embedding_multiplier=3.0, attention_multiplier=0.4, residual_multiplier=0.6,
                    logits_scaling=2.5),
    "granite_bias_tied": dict(model_type="granite", embedding_multiplier=12, attention_multiplier=0.25, residual_multiplier=0.22,
                              logits_scaling=8, attention_bias=True, mlp_bias=True, tie_word_embeddings=True),
}
VISION = {
    "gemma3": (Gemma3ForConditionalGeneration, dict(model_type="siglip_vision_model", hidden_size=16, intermediate_size=24, num_hidden_layers=1,
                                                    num_attention_heads=2, image_size=28, patch_size=14)),
    "mistral3": (Mistral3ForConditionalGeneration, dict(model_type="pixtral", hidden_size=16, intermediate_size=24, num_hidden_layers=1,
                                                        num_attention_heads=2, head_dim=8, image_size=28, patch_size=14)),
}


def configuration(name, vocab_size=400, **changes):
    keys = dict(VARIANTS[name])
    text = SIZES | dict(vocab_size=vocab_size) | keys.pop("text", keys) | changes
    if name not in VISION:
        return AutoConfig.for_model(**text)
    return AutoConfig.for_model(name, text_config=text, vision_config=VISION[name][1], **keys,
                                mm_tokens_per_image=4 if name == "gemma3" else None)


def randomize(model):
    """Norms and biases, which transformers starts at 0 or 1."""
    for key, parameter in model.named_parameters():
        if parameter.ndim == 1:
            constant = parameter.detach().flatten()[0].item()
            torch.nn.init.normal_(parameter, mean=constant, std=0.2)


def make(name, vocab_size=400, seed=0, **changes):
    """The model of a variant, in float32; `changes` are keys of the text's configuration."""
    torch.manual_seed(seed + zlib.crc32(name.encode()))
    config = configuration(name, vocab_size, **changes)
    config._attn_implementation = "eager"
    model = VISION[name][0](config) if name in VISION else AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        randomize(model)
    return model.eval()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--only", nargs="*", default=list(VARIANTS), choices=list(VARIANTS), metavar="NAME")
    parser.add_argument("--vocab-size", type=int, default=400)
    parser.add_argument("--tokenizer", type=pathlib.Path)
    options = parser.parse_args()
    for name in options.only:
        folder = options.out / name
        make(name, options.vocab_size).save_pretrained(folder)
        for file in TEXT_FILES if options.tokenizer else ():
            if (options.tokenizer / file).exists():
                shutil.copy(options.tokenizer / file, folder)
        print(folder, flush=True)


if __name__ == "__main__":
    main()
