#include "recipe/foreign.h"

#include <algorithm>
#include <map>

#include "recipe/option_type.h"

namespace lmpo {
namespace {

// Keys that share a reason and the harmless values.
struct Family {
  std::string_view reason;
  std::vector<std::string_view> allowed;
  std::vector<std::string_view> names;
};

std::vector<Family> families() {
  const std::vector<std::string_view> off = {"false", "False", "no", "null"};
  return {
      {"nothing is uploaded",
       {},
       {"push_to_hub", "hub_model_id", "hub_token", "hub_strategy", "hub_private_repo",
        "hub_always_push", "hub_revision", "hub_model_revision", "tags", "use_auth_token",
        "push_to_hub_model_id", "push_to_hub_organization", "push_to_hub_token"}},
      {"metrics are written to files in output_dir",
       {},
       {"run_name", "logging_first_step", "logging_nan_inf_filter", "log_on_each_node",
        "log_level_replica", "include_num_input_tokens_seen", "include_tokens_per_second",
        "include_for_metrics", "include_inputs_for_metrics", "prediction_loss_only", "project",
        "trackio_space_id", "trackio_bucket_id", "trackio_static_space_id"}},
      {"metrics are logged by steps", {"steps"}, {"logging_strategy"}},
      {"there is one implementation, which chooses by itself",
       {},
       {"attn_implementation",
        "use_flash_attention_2",
        "use_liger_kernel",
        "use_liger",
        "gradient_checkpointing_kwargs",
        "activation_checkpointing_kwargs",
        "activation_offloading",
        "liger_kernel_config",
        "torch_compile",
        "torch_compile_backend",
        "torch_compile_mode",
        "tf32",
        "bf16_full_eval",
        "fp16_full_eval",
        "half_precision_backend",
        "fp16_opt_level",
        "fp16_backend",
        "jit_mode_eval",
        "use_cache",
        "use_reentrant",
        "padding_free",
        "packing",
        "pad_to_multiple_of",
        "eval_accumulation_steps",
        "torch_empty_cache_steps",
        "torchdynamo",
        "use_ipex",
        "use_logits_to_keep",
        "use_num_logits_to_keep",
        "packing_strategy",
        "eval_packing",
        "num_of_sequences",
        "chars_per_token",
        "auto_find_batch_size"}},
      {"processes and devices are chosen by the launcher",
       {},
       {"local_rank",
        "no_cuda",
        "use_cpu",
        "use_mps_device",
        "xpu_backend",
        "tpu_num_cores",
        "tpu_metrics_debug",
        "mp_parameters",
        "ray_scope",
        "debug",
        "ddp_static_graph",
        "eval_use_gather_object",
        "ignore_bias_buffers",
        "ddp_backend",
        "ddp_bucket_cap_mb",
        "ddp_broadcast_buffers",
        "ddp_find_unused_parameters",
        "ddp_timeout",
        "deepspeed",
        "fsdp",
        "fsdp_config",
        "fsdp_min_num_params",
        "fsdp_transformer_layer_cls_to_wrap",
        "accelerator_config",
        "parallelism_config",
        "split_batches",
        "dispatch_batches",
        "average_tokens_across_devices",
        "full_determinism",
        "skip_memory_metrics"}},
      {"data is read and kept by this program itself",
       {},
       {"remove_unused_columns", "preprocessing_num_workers", "dataset_num_proc",
        "dataloader_num_workers", "dataloader_pin_memory", "dataloader_persistent_workers",
        "dataloader_prefetch_factor", "dataloader_multiprocessing_context", "dataloader_in_order",
        "dataset_kwargs", "dataset_text_field", "text_column", "dataset_batch_size",
        "label_pad_token_id", "padding_value", "pad_token", "label_names", "overwrite_cache",
        "length_column_name"}},
      {"the order of the data is train_sampling_strategy's", {}, {"shuffle_dataset"}},
      {"tokens that a response lacks are added by boundary", {}, {"add_special_tokens"}},
      {"which end is cut is truncation_mode's", {}, {"truncation_side"}},
      {"every dataset has its own: write datasets: [{path: ..., config: ...}, ...]",
       {},
       {"dataset_configs"}},
      {"data is read from files, a piece at a time", {}, {"dataset_streaming", "streaming"}},
      {"the model is a folder: its own settings hold",
       {},
       {"model_revision", "base_model_revision", "model_code_revision", "trust_remote_code",
        "model_init_kwargs", "tokenizer_name_or_path", "use_fast_tokenizer", "token",
        "base_model_attribute_name"}},
      {"the tokenizer's own end-of-sequence token is used", {"null"}, {"eos_token"}},
      {"models here have no experts", {}, {"router_aux_loss_coef"}},
      {"the optimizer is AdamW", {}, {"optim_args", "optim_target_modules"}},
      {"the optimizer is AdamW", off, {"adafactor"}},
      {"schedules have no parameters but the warm-up", {"null"}, {"lr_scheduler_kwargs"}},
      {"no noise is added to embeddings", {"null"}, {"neftune_noise_alpha"}},
      {"labels of pairs are smoothed by label_smoothing", {"0", "0.0"}, {"label_smoothing_factor"}},
      {"the loss is one, without further terms",
       {"null", "1", "1.0"},
       {"loss_weights", "ld_alpha", "rpo_alpha"}},
      {"the loss is one, without further terms", off, {"use_weighting", "reference_free"}},
      {"rewards are log-probabilities themselves (AlphaPO is not computed)",
       {"0", "0.0", "null"},
       {"alpha"}},
      {"the divergence is the reverse KL",
       {"reverse_kl", "FDivergenceType.REVERSE_KL", "null"},
       {"f_divergence_type"}},
      {"the loss that would use it is not computed",
       {},
       {"f_alpha_divergence_coef", "discopop_tau"}},
      {"sft_on says what is scored: response or conversation",
       {"true", "True", "yes", "null"},
       {"completion_only_loss", "assistant_only_loss"}},
      {"what to do follows from the command and the data",
       {},
       {"do_train", "do_eval", "do_predict"}},
      {"models here have no dropout", {}, {"disable_dropout"}},
      {"the reference is always computed once, before training",
       {},
       {"precompute_ref_log_probs", "precompute_ref_batch_size", "ref_model_init_kwargs",
        "force_use_ref_model"}},
      {"the reference stays as it is", off, {"sync_ref_model"}},
      {"the reference stays as it is", {}, {"ref_model_mixup_alpha", "ref_model_sync_steps"}},
      {"every weight is trained, in the type of dtype",
       off,
       {"use_peft", "use_lora", "load_in_8bit", "load_in_4bit", "use_rslora", "use_dora"}},
      {"every weight is trained: there are no adapters",
       {},
       {"lora_r", "lora_alpha", "lora_dropout", "lora_target_modules", "lora_modules_to_save",
        "lora_task_type", "lora_target_parameters", "bnb_4bit_quant_type", "bnb_4bit_quant_storage",
        "use_bnb_nested_quant", "model_adapter_name", "ref_adapter_name"}},
      {"only decoders are trained", off, {"is_encoder_decoder"}},
      {"eval_samples says how many answers an evaluation generates", {}, {"generate_during_eval"}},
      {"lmpo generate writes answers", off, {"predict_with_generate"}},
      {"batches are drawn at random", off, {"group_by_length", "ignore_data_skip"}},
      {"every checkpoint is kept as it is",
       off,
       {"load_best_model_at_end", "save_only_model", "save_on_each_node"}},
      {"every checkpoint is kept as it is", {}, {"metric_for_best_model", "greater_is_better"}},
      {"a run resumes bit for bit from any checkpoint",
       {},
       {"enable_jit_checkpoint", "restore_callback_states_from_checkpoint"}},
      {"weights are saved as safetensors", {"true", "True", "yes"}, {"save_safetensors"}},
      {"evaluation follows eval_strategy",
       {"false", "False", "no", "0"},
       {"eval_on_start", "eval_delay", "batch_eval_metrics", "eval_do_concat_batches"}},
      {"lengths are set by max_length and max_prompt_length",
       {},
       {"max_target_length", "max_completion_length"}},
  };
}

std::map<std::string_view, ForeignKey> make_table() {
  std::map<std::string_view, ForeignKey> table;
  for (const Family& family : families()) {
    for (const std::string_view name : family.names) {
      table[name] = {name, family.reason, family.allowed};
    }
  }
  return table;
}

}  // namespace

bool ForeignKey::allows(std::string_view text) const {
  return std::find(allowed.begin(), allowed.end(), text) != allowed.end();
}

const ForeignKey* find_foreign_key(std::string_view name) {
  static const std::map<std::string_view, ForeignKey> table = make_table();
  const auto found = table.find(name);
  return found == table.end() ? nullptr : &found->second;
}

}  // namespace lmpo
