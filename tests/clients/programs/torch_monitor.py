"""torch.monitor's handler logs the events of its own kind, at their own times."""

from datetime import UTC, datetime, timedelta

from torch.monitor import (
    STAT_EVENT,
    Event,
    TensorboardEventHandler,
    log_event,
    register_event_handler,
    unregister_event_handler,
)
from torch.utils.tensorboard import SummaryWriter

BEGIN = datetime(2025, 5, 17, 12, tzinfo=UTC)

with SummaryWriter("runs") as writer:
    handler = register_event_handler(TensorboardEventHandler(writer))
    for second in range(5):
        time = BEGIN + timedelta(seconds=second)
        log_event(Event(STAT_EVENT, time, {"requests.count": second, "latency.mean": 0.25 / (second + 1)}))
        log_event(Event("another kind", time, {"not for TensorBoard": 1}))
    unregister_event_handler(handler)
