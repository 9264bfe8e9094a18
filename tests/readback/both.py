"""One expectation, asked of both of TensorBoard's readers."""

from tests.readback import python_loader, rust_server
from tests.readback.events import PathLike
from tests.readback.points import Expected, differences


def assert_same_in_both(logdir: PathLike, expected: Expected) -> None:
    """Fail, telling the first point that differs in each tag, unless both readers show exactly `expected`.

    A point may be a `Point` or `(step, wall_time, value)`; NaN equals NaN, and `unittest.mock.ANY` stands for anything.
    """
    shown = {"Python loader": python_loader.load(logdir), "Rust server": rust_server.load(logdir)}
    wrong = [f"{name}: {line}" for name, series in shown.items() for line in differences(expected, series)]
    if wrong:
        raise AssertionError("\n".join(wrong))
