"""Lightning trains a small model: hyperparameters, the graph, curves, and media through `logger.experiment`."""

import torch
from pytorch_lightning import LightningModule, Trainer, seed_everything
from pytorch_lightning.callbacks import LearningRateMonitor
from pytorch_lightning.loggers import TensorBoardLogger
from torch.nn.functional import mse_loss
from torch.utils.data import DataLoader, TensorDataset


class Regression(LightningModule):
    def __init__(self, width=4, lr=0.1, activation="tanh", bias=True):
        super().__init__()
        self.save_hyperparameters()
        self.example_input_array = torch.zeros(2, 3)
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(3, width, bias=bias), torch.nn.Tanh(), torch.nn.Linear(width, 1)
        )

    def forward(self, inputs):
        return self.layers(inputs)

    def training_step(self, batch, _):
        inputs, targets = batch
        loss = mse_loss(self(inputs), targets)
        self.log("loss/train", loss)
        return loss

    def validation_step(self, batch, _):
        inputs, targets = batch
        self.log_dict({"loss/valid": mse_loss(self(inputs), targets), "hp_metric": 0.5})

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=self.hparams.lr)
        return [optimizer], [torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)]

    def on_train_epoch_end(self):
        experiment, epoch = self.logger.experiment, self.current_epoch
        weights = self.layers[0].weight
        experiment.add_histogram("weights", weights, epoch)
        experiment.add_image("weights/image", weights.detach().abs().clamp(0, 1), epoch, dataformats="HW")
        experiment.add_text("note", f"epoch *{epoch}*", epoch)
        self.logger.log_metrics({"norms": {"first": weights.norm(), "last": self.layers[2].weight.norm()}}, epoch)


seed_everything(0)
inputs = torch.randn(16, 3)
data = TensorDataset(inputs, inputs.sum(1, keepdim=True))
trainer = Trainer(
    max_epochs=3,
    accelerator="cpu",
    logger=TensorBoardLogger("runs", name="net", log_graph=True, max_queue=100, flush_secs=30),
    callbacks=[LearningRateMonitor()],
    log_every_n_steps=1,
    enable_checkpointing=False,
    enable_model_summary=False,
    enable_progress_bar=False,
)
trainer.fit(Regression(), DataLoader(data, batch_size=4, shuffle=True), DataLoader(data, batch_size=8))
