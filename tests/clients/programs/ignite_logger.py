"""Ignite's logger watches a training: losses, metrics, parameters of the optimiser, weights and gradients."""

import torch
from ignite.engine import Events, create_supervised_evaluator, create_supervised_trainer
from ignite.handlers.tensorboard_logger import (
    GradsHistHandler,
    GradsScalarHandler,
    TensorboardLogger,
    WeightsHistHandler,
    WeightsScalarHandler,
    global_step_from_engine,
)
from ignite.metrics import Loss

torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
criterion = torch.nn.MSELoss()
inputs = torch.randn(16, 3)
batches = list(zip(inputs.split(4), inputs.sum(1, keepdim=True).split(4), strict=True))
trainer = create_supervised_trainer(model, optimizer, criterion)
evaluator = create_supervised_evaluator(model, metrics={"mse": Loss(criterion)})

with TensorboardLogger(log_dir="runs", comment="unused") as logger:
    logger.attach_output_handler(
        trainer, Events.ITERATION_COMPLETED, tag="training", output_transform=lambda loss: {"loss": loss}
    )
    logger.attach_opt_params_handler(trainer, Events.ITERATION_COMPLETED(every=2), optimizer=optimizer)
    steps = global_step_from_engine(trainer)
    logger.attach_output_handler(
        evaluator, Events.EPOCH_COMPLETED, tag="validation", metric_names="all", global_step_transform=steps
    )
    for handler in (WeightsScalarHandler, WeightsHistHandler, GradsScalarHandler, GradsHistHandler):
        logger.attach(trainer, event_name=Events.EPOCH_COMPLETED, log_handler=handler(model))
    trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda: evaluator.run(batches))
    trainer.run(batches, max_epochs=3)
    logger.add_text("note", "through *getattr*", 1)
