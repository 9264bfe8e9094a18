"""The Trainer of transformers trains and evaluates a tiny model of random weights."""

import os

os.environ["TENSORBOARD_LOGGING_DIR"] = "runs"

import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments, set_seed

set_seed(0)
config = BertConfig(
    vocab_size=32,
    hidden_size=8,
    num_hidden_layers=1,
    num_attention_heads=2,
    intermediate_size=16,
    max_position_embeddings=8,
)
samples = [{"input_ids": torch.randint(0, 32, (6,)), "labels": number % 2} for number in range(16)]
arguments = TrainingArguments(
    output_dir="out",
    report_to="tensorboard",
    max_steps=6,
    per_device_train_batch_size=4,
    logging_steps=2,
    eval_strategy="steps",
    eval_steps=3,
    save_strategy="no",
    disable_tqdm=True,
    use_cpu=True,
    seed=0,
)
trainer = Trainer(
    BertForSequenceClassification(config),
    arguments,
    train_dataset=samples,
    eval_dataset=samples[:4],
    compute_metrics=lambda prediction: {"mean": prediction.predictions.mean()},
)
trainer.train()
trainer.log({"note": "after the *end*", "whole": 3})  # after close(), from `on_train_end`
