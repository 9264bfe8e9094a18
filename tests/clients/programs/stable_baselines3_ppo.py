"""PPO of Stable-Baselines3 learns CartPole; a callback logs one of each kind that its logger knows."""

import matplotlib as mpl

mpl.use("Agg")

import numpy as np
import torch
from matplotlib.figure import Figure as Canvas
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Figure, HParam, Image, Video

ELSEWHERE = ("stdout", "log", "json", "csv")


class Kinds(BaseCallback):
    def _on_training_start(self):
        values = {"algorithm": type(self.model).__name__, "learning rate": self.model.learning_rate, "clipped": True}
        metrics = {"rollout/ep_len_mean": 0, "train/value_loss": 0.0}
        self.logger.record("hparams", HParam(values, metrics), exclude=ELSEWHERE)

    def _on_step(self):
        return True

    def _on_rollout_end(self):
        for name, value in kinds(self.num_timesteps).items():
            self.logger.record(f"kinds/{name}", value, exclude=ELSEWHERE)
        for name, weights in self.model.policy.named_parameters():
            self.logger.record(f"weights/{name}", weights.detach(), exclude=ELSEWHERE)


def kinds(step):
    return {
        "array": np.linspace(-1, 1, step),
        "bool": np.bool_(step % 2 == 0),
        "figure": Figure(line(step), close=True),
        "image": Image(torch.linspace(0, 1, 3 * 4 * 5).reshape(3, 4, 5), "CHW"),
        "int": np.int64(step),
        "text": f"{step} steps",
        "truth": True,
        "video": Video(squares(), fps=5),
    }


def line(step):
    figure = Canvas((1, 1), dpi=60)
    figure.add_subplot().plot([0, step], [0, 1])
    return figure


def squares():
    frames = torch.zeros(1, 6, 3, 20, 30)
    for number in range(6):
        frames[0, number, number % 3, 2 * number : 2 * number + 4] = 1
    return frames


model = PPO("MlpPolicy", "CartPole-v1", n_steps=64, batch_size=32, seed=0, device="cpu", tensorboard_log="runs")
model.learn(200, callback=Kinds(), log_interval=1)
