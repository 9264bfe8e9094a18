# Generated from asynctb/proto/hparams.proto by python -m tests.protos (protoc 21.6). Do not edit.
from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import Any as _Any, ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DATASET_TRAINING: DatasetType
DATASET_UNKNOWN: DatasetType
DATASET_VALIDATION: DatasetType
DESCRIPTOR: _descriptor.FileDescriptor
STATUS_FAILURE: Status
STATUS_RUNNING: Status
STATUS_SUCCESS: Status
STATUS_UNKNOWN: Status

class Experiment(_message.Message):
    __slots__ = ("description", "hparam_infos", "metric_infos", "name", "time_created_secs", "user",)
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    HPARAM_INFOS_FIELD_NUMBER: _ClassVar[int]
    METRIC_INFOS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TIME_CREATED_SECS_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    description: str
    hparam_infos: _containers.RepeatedCompositeFieldContainer[HParamInfo]
    metric_infos: _containers.RepeatedCompositeFieldContainer[MetricInfo]
    name: str
    time_created_secs: float
    user: str
    def __init__(self, name: _Optional[str] = ..., description: _Optional[str] = ..., user: _Optional[str] = ..., time_created_secs: _Optional[float] = ..., hparam_infos: _Optional[_Iterable[_Union[HParamInfo, _Mapping[str, _Any]]]] = ..., metric_infos: _Optional[_Iterable[_Union[MetricInfo, _Mapping[str, _Any]]]] = ...) -> None: ...

class HParamInfo(_message.Message):
    __slots__ = ("description", "differs", "display_name", "domain_discrete", "domain_interval", "name", "type",)
    class DataType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
    DATA_TYPE_BOOL: HParamInfo.DataType
    DATA_TYPE_FLOAT64: HParamInfo.DataType
    DATA_TYPE_STRING: HParamInfo.DataType
    DATA_TYPE_UNSET: HParamInfo.DataType
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    DIFFERS_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_DISCRETE_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    description: str
    differs: bool
    display_name: str
    domain_discrete: _struct_pb2.ListValue
    domain_interval: Interval
    name: str
    type: HParamInfo.DataType
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., description: _Optional[str] = ..., type: _Optional[_Union[HParamInfo.DataType, str]] = ..., domain_discrete: _Optional[_Union[_struct_pb2.ListValue, _Mapping[str, _Any]]] = ..., domain_interval: _Optional[_Union[Interval, _Mapping[str, _Any]]] = ..., differs: bool = ...) -> None: ...

class HParamsPluginData(_message.Message):
    __slots__ = ("experiment", "session_end_info", "session_start_info", "version",)
    EXPERIMENT_FIELD_NUMBER: _ClassVar[int]
    SESSION_END_INFO_FIELD_NUMBER: _ClassVar[int]
    SESSION_START_INFO_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    experiment: Experiment
    session_end_info: SessionEndInfo
    session_start_info: SessionStartInfo
    version: int
    def __init__(self, version: _Optional[int] = ..., experiment: _Optional[_Union[Experiment, _Mapping[str, _Any]]] = ..., session_start_info: _Optional[_Union[SessionStartInfo, _Mapping[str, _Any]]] = ..., session_end_info: _Optional[_Union[SessionEndInfo, _Mapping[str, _Any]]] = ...) -> None: ...

class Interval(_message.Message):
    __slots__ = ("max_value", "min_value",)
    MAX_VALUE_FIELD_NUMBER: _ClassVar[int]
    MIN_VALUE_FIELD_NUMBER: _ClassVar[int]
    max_value: float
    min_value: float
    def __init__(self, min_value: _Optional[float] = ..., max_value: _Optional[float] = ...) -> None: ...

class MetricInfo(_message.Message):
    __slots__ = ("dataset_type", "description", "display_name", "name",)
    DATASET_TYPE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    dataset_type: DatasetType
    description: str
    display_name: str
    name: MetricName
    def __init__(self, name: _Optional[_Union[MetricName, _Mapping[str, _Any]]] = ..., display_name: _Optional[str] = ..., description: _Optional[str] = ..., dataset_type: _Optional[_Union[DatasetType, str]] = ...) -> None: ...

class MetricName(_message.Message):
    __slots__ = ("group", "tag",)
    GROUP_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    group: str
    tag: str
    def __init__(self, group: _Optional[str] = ..., tag: _Optional[str] = ...) -> None: ...

class SessionEndInfo(_message.Message):
    __slots__ = ("end_time_secs", "status",)
    END_TIME_SECS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    end_time_secs: float
    status: Status
    def __init__(self, status: _Optional[_Union[Status, str]] = ..., end_time_secs: _Optional[float] = ...) -> None: ...

class SessionStartInfo(_message.Message):
    __slots__ = ("group_name", "hparams", "model_uri", "monitor_url", "start_time_secs",)
    class HparamsEntry(_message.Message):
        __slots__ = ("key", "value",)
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _struct_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_struct_pb2.Value, _Mapping[str, _Any]]] = ...) -> None: ...
    GROUP_NAME_FIELD_NUMBER: _ClassVar[int]
    HPARAMS_FIELD_NUMBER: _ClassVar[int]
    MODEL_URI_FIELD_NUMBER: _ClassVar[int]
    MONITOR_URL_FIELD_NUMBER: _ClassVar[int]
    START_TIME_SECS_FIELD_NUMBER: _ClassVar[int]
    group_name: str
    hparams: _containers.MessageMap[str, _struct_pb2.Value]
    model_uri: str
    monitor_url: str
    start_time_secs: float
    def __init__(self, hparams: _Optional[_Mapping[str, _struct_pb2.Value]] = ..., model_uri: _Optional[str] = ..., monitor_url: _Optional[str] = ..., group_name: _Optional[str] = ..., start_time_secs: _Optional[float] = ...) -> None: ...

class DatasetType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()

class Status(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
