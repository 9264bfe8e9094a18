"""Hyperparameters: the records of one session, which is what the HParams dashboard calls a run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

from google.protobuf import struct_pb2

from asynctb.encode.plain import Plain, flat, plain
from asynctb.encode.scalar import scalar
from asynctb.encode.tags import encode_tag, sub_run
from asynctb.encode.wire import summary
from asynctb.entry import Entry, Farewell, Record
from asynctb.errors import EncodeError
from asynctb.proto import hparams_pb2, summary_pb2

__all__ = ["Session", "hparams"]

PLUGIN = "hparams"
EXPERIMENT = "_hparams_/experiment"
START = "_hparams_/session_start_info"
END = "_hparams_/session_end_info"

_TYPES: dict[type, hparams_pb2.HParamInfo.DataType] = {
    bool: hparams_pb2.HParamInfo.DATA_TYPE_BOOL,
    float: hparams_pb2.HParamInfo.DATA_TYPE_FLOAT64,
    str: hparams_pb2.HParamInfo.DATA_TYPE_STRING,
}
_KINDS = {bool: "booleans", float: "finite numbers", str: "texts"}


class Session(NamedTuple):
    """What there is to a session besides its hyperparameters and metrics."""

    run_name: Any
    """The sub-run that it is stored in; `.` for the writer's own run."""
    domains: Any = None
    """The values that some hyperparameters may have, by their names."""
    group_name: Any = ""
    descriptions: Any = None
    metric_display_names: Any = None
    clock: Callable[[], float] | None = None
    """Tells the time of a session's start and, at the writer's close, its end; None for one that is over."""


def hparams(hparam_dict: Any, metric_dict: Any, session: Session) -> list[Entry]:
    """Return a session's records as torch writes them: experiment, start, end, a scalar for each metric.

    The end of a live one comes when the writer is closed. The readers keep the first record of each kind in a run for
    good: one that says RUNNING would do so for ever, so none is written.

    Raises `EncodeError` for what is no mapping, names that are no text or unknown, values that have no text, metrics
    that are no numbers, and runs outside the log directory.
    """
    run = _run(session.run_name)
    given = flat("hparam_dict", hparam_dict)
    values = {name: found for name, value in given.items() if (found := plain(name, value)) is not None}
    metrics = flat("metric_dict", metric_dict)
    points = [_point(run, name, number) for name, number in metrics.items() if number is not None]
    experiment = _experiment(given, values, metrics, session)
    start = _start(values, session)
    if session.clock is None:
        end = _record(run, END, session_end_info={"status": hparams_pb2.STATUS_SUCCESS})
        return [
            _record(run, EXPERIMENT, experiment=experiment),
            _record(run, START, session_start_info=start),
            end,
            *points,
        ]
    # Without an experiment in any run, TensorBoard makes the columns itself: all hyperparameters of all runs, and all
    # scalars of theirs. So there is none where it would say less.
    columns = [_record(run, EXPERIMENT, experiment=experiment)] if _says_more(experiment) else []
    return [*columns, _record(run, START, session_start_info=start), *points, Farewell(run, _end(run, session.clock))]


def _run(name: Any) -> str:
    if callable(getattr(name, "__fspath__", None)):
        name = name.__fspath__()
    if not isinstance(name, str):
        raise EncodeError("run_name", "the name of a sub-run: text", name)
    own = not name.startswith("/") and set(name.split("/")) <= {"", "."}
    return "" if own else sub_run("run_name", name)


def _point(run: str, name: str, number: Any) -> Record:
    # In a sub-run, a metric's step is torch's: what is given, or none. In the run itself it is a point of a curve,
    # which a point without a step would erase in the default loader.
    record = scalar(name, number)
    return record._replace(run=run, tags=()) if run else record


def _value(value: Plain) -> struct_pb2.Value:
    if isinstance(value, bool):
        return struct_pb2.Value(bool_value=value)
    if isinstance(value, str):
        return struct_pb2.Value(string_value=value)
    return struct_pb2.Value(number_value=value)


def _start(values: Mapping[str, Plain], session: Session) -> hparams_pb2.SessionStartInfo:
    start = hparams_pb2.SessionStartInfo(
        group_name=_text("group_name", session.group_name),
        start_time_secs=session.clock() if session.clock else 0,
    )
    for name, value in values.items():
        start.hparams[name].CopyFrom(_value(value))
    return start


def _end(run: str, clock: Callable[[], float]) -> Callable[[bool], Record]:
    def record(well: bool) -> Record:
        status = hparams_pb2.STATUS_SUCCESS if well else hparams_pb2.STATUS_FAILURE
        return _record(run, END, session_end_info={"status": status, "end_time_secs": clock()})

    return record


def _experiment(
    given: Collection[str], values: Mapping[str, Plain], metrics: Collection[str], session: Session
) -> hparams_pb2.Experiment:
    texts = _texts("descriptions", session.descriptions, {*given, *metrics})
    names = _texts("metric_display_names", session.metric_display_names, metrics)
    domains = _domains(given, values, session.domains)
    return hparams_pb2.Experiment(
        hparam_infos=[
            hparams_pb2.HParamInfo(
                name=name, type=_TYPES[type(value)], description=texts.get(name), domain_discrete=domains.get(name)
            )
            for name, value in values.items()
        ],
        metric_infos=[
            hparams_pb2.MetricInfo(name={"tag": name}, description=texts.get(name), display_name=names.get(name))
            for name in metrics
        ],
    )


def _says_more(experiment: hparams_pb2.Experiment) -> bool:
    infos = experiment.hparam_infos
    return bool(experiment.metric_infos) or any(info.description or info.HasField("domain_discrete") for info in infos)


def _domains(given: Collection[str], values: Mapping[str, Plain], domains: Any) -> dict[str, struct_pb2.ListValue]:
    argument = "hparam_domain_discrete"
    found: dict[str, struct_pb2.ListValue] = {}
    for name, items in _mapping(argument, "a mapping from names to lists of values", domains).items():
        if name not in given:
            raise EncodeError(argument, "names of hyperparameters", name)
        if isinstance(items, (str, bytes, Mapping)) or not isinstance(items, Iterable):
            raise EncodeError(f"{argument}[{name}]", "a list of the values it may have", items)
        if name in values:
            found[name] = _domain(name, items, type(values[name]))
    return found


def _domain(name: str, items: Iterable[Any], kind: type) -> struct_pb2.ListValue:
    domain = struct_pb2.ListValue()
    for item in items:
        value = plain(name, item)
        if value is None or type(value) is not kind:
            raise EncodeError(f"hparam_domain_discrete[{name}]", f"{_KINDS[kind]}, as the hyperparameter is", item)
        domain.values.append(_value(value))
    return domain


def _texts(argument: str, texts: Any, known: Collection[str]) -> dict[str, str]:
    items = _mapping(argument, "a mapping from names to texts", texts)
    for name in items:
        if name not in known:
            raise EncodeError(argument, "names that are there", name)
    return {name: _text(f"{argument}[{name}]", text) for name, text in items.items()}


def _mapping(argument: str, wanted: str, value: Any) -> Mapping[Any, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise EncodeError(argument, wanted, value)
    return value


def _text(argument: str, text: Any) -> str:
    if not isinstance(text, str):
        raise EncodeError(argument, "text", text)
    encode_tag(text)
    return text


def _record(run: str, tag: str, **content: Any) -> Record:
    data = hparams_pb2.HParamsPluginData(**content).SerializeToString()
    metadata = summary_pb2.SummaryMetadata(plugin_data={"plugin_name": PLUGIN, "content": data})
    value = summary_pb2.Summary.Value(tag=tag, metadata=metadata)  # no data of its own, as torch's
    return Record((), summary(summary_pb2.Summary(value=[value]).SerializeToString()), PLUGIN, run)
