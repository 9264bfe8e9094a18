"""What TensorBoard's browser part is told: its own web application over each of its two loaders, without a socket."""

import json
import os
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.readback import python_loader, rust_server
from tests.readback.events import PathLike
from tests.readback.imports import module

if TYPE_CHECKING:
    from tensorboard.data.provider import DataProvider

HERE = "/experiment/defaultExperimentId/data/plugin"  # as the HParams dashboard asks
STATUSES = ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"]


class Api:
    """TensorBoard's answers."""

    def __init__(self, provider: "DataProvider", logdir: PathLike) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its plugins
            program = module("tensorboard.program").TensorBoard(plugins=module("tensorboard.default").get_plugins())
            program.configure(argv=["tensorboard", "--logdir", os.fspath(logdir)])
            application = module("tensorboard.backend.application")
            app = application.TensorBoardWSGIApp(program.flags, program.plugin_loaders, provider)
        self._client = module("werkzeug.test").Client(app)

    def hparams(self) -> Any:
        """Return the columns of the HParams dashboard."""
        return self._answer(self._client.post(f"{HERE}/hparams/experiment", json={"includeMetrics": True}))

    def sessions(self, **request: Any) -> Any:
        """Return the sessions of the HParams dashboard, by name; `request` may sort and filter."""
        request = {"startIndex": 0, "sliceSize": 100, "allowedStatuses": STATUSES, **request}
        groups = self._answer(self._client.post(f"{HERE}/hparams/session_groups", json=request))["sessionGroups"]
        return {group["name"]: group for group in groups}

    def layout(self) -> Any:
        """Return the layout of the Custom Scalars dashboard."""
        return self._answer(self._client.get(f"{HERE}/custom_scalars/layout"))

    def custom_scalars(self, run: str, tag: str) -> Any:
        """Return what a chart with that regular expression shows of a run."""
        return self._answer(self._client.get(f"{HERE}/custom_scalars/scalars", query_string={"run": run, "tag": tag}))

    def _answer(self, response: Any) -> Any:
        assert response.status_code == 200, response.text
        return json.loads(response.data)


@contextmanager
def both(logdir: PathLike) -> Generator[dict[str, Api], None, None]:
    """Give TensorBoard's web application over its Python loader, and over its default one, of what is in `logdir`."""
    providers = module("tensorboard.backend.event_processing.data_provider")
    multiplexer = python_loader.multiplexer(logdir)
    with rust_server.serve(logdir, reload_interval=rust_server.ONCE) as server:
        python = providers.MultiplexerDataProvider(multiplexer, os.fspath(logdir))
        yield {"python": Api(python, logdir), "rust": Api(server.provider, logdir)}
