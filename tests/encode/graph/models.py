"""Models of all sorts. Whoever imports this needs torch, and is skipped without it."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import pytest

from tests.readback.imports import module

if find_spec("torch") is None:
    pytest.skip("torch, whose models are drawn, is not installed", allow_module_level=True)

torch = module("torch")
nn = torch.nn


class Net(nn.Module):
    """The network of torch's own pages: two convolutions and three linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5)
        self.pool = nn.MaxPool2d(2, 2)
        self.fc1, self.fc2, self.fc3 = nn.Linear(16 * 4 * 4, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x: Any) -> Any:
        x = self.pool(torch.relu(self.conv1(x)))
        x = self.pool(torch.relu(self.conv2(x)))
        x = x.view(-1, 16 * 4 * 4)
        return self.fc3(torch.relu(self.fc2(torch.relu(self.fc1(x)))))


class Residual(nn.Module):
    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(outside), nn.BatchNorm2d(outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
        self.short = nn.Sequential()
        if stride > 1:
            self.short = nn.Sequential(nn.Conv2d(inside, outside, 1, stride, bias=False), nn.BatchNorm2d(outside))

    def forward(self, x: Any) -> Any:
        out = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(out)) + self.short(x))


class ResNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 7, 2, 3), nn.BatchNorm2d(8), nn.ReLU(inplace=True))
        self.layer1 = nn.Sequential(Residual(8, 8, 1), Residual(8, 8, 1))
        self.layer2 = nn.Sequential(Residual(8, 16, 2), Residual(16, 16, 1))
        self.pool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(16, 10)

    def forward(self, x: Any) -> Any:
        return self.fc(torch.flatten(self.pool(self.layer2(self.layer1(self.stem(x)))), 1))


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.lstm = nn.Embedding(20, 4), nn.LSTM(4, 5, 2, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(10, 3)

    def forward(self, tokens: Any) -> Any:
        output, state = self.lstm(self.embed(tokens))
        return self.fc(output), state


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2)

    def forward(self, x: Any) -> Any:
        return self.attention(x, x, x)


class Several(nn.Module):
    """Several inputs and outputs, in tuples; an input that nothing uses."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(3, 4), nn.Linear(3, 4)

    def forward(self, a: Any, pair: Any, unused: Any) -> Any:
        x = self.left(a) + self.right(pair[0])
        return x, (pair[1] * 2, (x - 1, a))


class Shared(nn.Module):
    """One module twice, by two names, and in a list."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Linear(3, 3)
        self.b = self.a
        self.many = nn.ModuleList([self.a, nn.Linear(3, 3), nn.Sequential(nn.Linear(3, 3), nn.Sequential(nn.ReLU()))])

    def forward(self, x: Any) -> Any:
        for each in self.many:
            x = each(x)
        return self.b(self.a(x)) + x


class Held(nn.Module):
    """Parameters, buffers and constants of its own, dtypes, and operators of several outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3, dtype=torch.float64))
        self.register_buffer("scale", torch.full((3,), 2.0, dtype=torch.float64))
        self.norm = nn.BatchNorm1d(3, dtype=torch.float64)

    def forward(self, x: Any) -> Any:
        x = self.norm(x * self.weight + self.scale) * torch.tensor([1.0, 2.0, 3.0])
        first, second = x.split([1, 2], 1)
        values, places = second.topk(1)
        return first, values, places, torch.zeros(2, 2), x > 0, x.to(torch.float16)


class Outputs(nn.Module):
    """Variables by the name of which the tracer's values become `output.1`, as torch's own node for an output is."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = Inner(), Inner()

    def forward(self, x: Any) -> Any:
        return self.second(self.first(x))


class Inner(nn.Module):
    def forward(self, x: Any) -> Any:
        output = x * 2
        return output + output.sum()


class Constant(nn.Module):
    def forward(self) -> Any:
        return torch.ones(3) * 2


class Branch(nn.Module):
    """What it does depends on the data; the tracer takes the way that these inputs lead."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(3, 3)

    def forward(self, x):  # pyright: ignore[reportUnknownParameterType, reportMissingParameterType]
        return self.fc(x) if x.sum() > 0 else -x


class Dictionary(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(3, 3)

    def forward(self, batch: Any) -> Any:
        return {"y": self.fc(batch["x"]), "mask": batch["mask"] > 0}


@dataclass
class Result:
    loss: Any
    parts: Any


class Anything(nn.Module):
    """Text, None, mappings and keywords among its inputs; a data class, numbers and None among its results."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(3, 3), nn.Linear(3, 3)])

    def forward(self, batch: Any, mode: str = "plain", *, mask: Any = None, scale: Any = None) -> Any:
        x = batch["x"] + batch["more"][0]
        for layer in self.layers:
            x = layer(x)
        if mask is not None:
            x = x * mask
        if scale is not None and mode == "scaled":
            x = x * scale
        if x.sum() > 1e9:
            x = -x
        return Result(x.mean(), {"x": x, "mode": mode, "nothing": None, "count": 3})


class Choice(nn.Module):
    """Both ways are in its graph: `torch.cond` is for `torch.export` alone."""

    def __init__(self) -> None:
        super().__init__()
        self.yes, self.no = nn.Linear(1, 3), nn.Linear(1, 3)
        self.norm = nn.LayerNorm(3)

    def forward(self, x: Any) -> Any:
        first, second = torch.std_mean(self.norm(x), 1, keepdim=True)
        x = torch.cond(first.sum() > 0, self.add, self.take, (first, second))
        return torch.relu(x), x.sum()

    def add(self, y: Any, z: Any) -> Any:
        return self.yes(y) + z

    def take(self, y: Any, z: Any) -> Any:
        return self.no(y) - z


def image(*shape: int) -> Any:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


# Each model that torch's own `add_graph` can draw, with inputs for it.
TRACEABLE: dict[str, Callable[[], tuple[Any, Any]]] = {
    "Net": lambda: (Net(), image(2, 1, 28, 28)),
    "ResNet": lambda: (ResNet(), image(2, 3, 16, 16)),
    "LSTM": lambda: (Recurrent(), torch.tensor([[1, 2, 3], [4, 5, 6]])),
    "GRU": lambda: (nn.GRU(3, 4), [image(5, 2, 3)]),
    "MultiheadAttention": lambda: (Attention(), image(3, 2, 8)),
    "TransformerEncoderLayer": lambda: (nn.TransformerEncoderLayer(8, 2, 16), image(3, 2, 8)),
    "TransformerEncoder": lambda: (
        nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2),
        image(2, 3, 8),
    ),
    "several inputs and outputs": lambda: (
        Several(),
        (image(2, 3), (image(2, 3), image(2)), image(1)),
    ),
    "shared modules": lambda: (Shared(), image(2, 3)),
    "nested Sequential": lambda: (
        nn.Sequential(nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.ReLU(), nn.Linear(4, 4))), nn.Dropout(0.5)),
        image(2, 3),
    ),
    "held tensors": lambda: (Held(), image(2, 3).double()),
    "only constants": lambda: (Constant(), ()),
    "branch on data": lambda: (Branch(), image(2, 3)),
    "convolutions of all sorts": lambda: (
        nn.Sequential(
            nn.ConvTranspose2d(1, 4, 3), nn.GroupNorm(2, 4), nn.PixelShuffle(2), nn.Upsample(scale_factor=2), nn.GELU()
        ),
        image(1, 1, 4, 4),
    ),
    "half and bfloat16": lambda: (nn.Linear(3, 3).to(torch.bfloat16), image(2, 3).to(torch.bfloat16)),
    "embedding bag": lambda: (nn.EmbeddingBag(9, 3), torch.tensor([[1, 2]])),
    "nothing but a module": lambda: (nn.Identity(), image(2)),
}
