# Generated from asynctb/proto/event.proto by python -m tests.protos (protoc 21.6). Do not edit.
from asynctb.proto import summary_pb2 as _summary_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import Any as _Any, ClassVar as _ClassVar, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Event(_message.Message):
    __slots__ = ("file_version", "graph_def", "log_message", "meta_graph_def", "session_log", "source_metadata", "step", "summary", "tagged_run_metadata", "wall_time",)
    FILE_VERSION_FIELD_NUMBER: _ClassVar[int]
    GRAPH_DEF_FIELD_NUMBER: _ClassVar[int]
    LOG_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    META_GRAPH_DEF_FIELD_NUMBER: _ClassVar[int]
    SESSION_LOG_FIELD_NUMBER: _ClassVar[int]
    SOURCE_METADATA_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    TAGGED_RUN_METADATA_FIELD_NUMBER: _ClassVar[int]
    WALL_TIME_FIELD_NUMBER: _ClassVar[int]
    file_version: str
    graph_def: bytes
    log_message: LogMessage
    meta_graph_def: bytes
    session_log: SessionLog
    source_metadata: SourceMetadata
    step: int
    summary: _summary_pb2.Summary
    tagged_run_metadata: TaggedRunMetadata
    wall_time: float
    def __init__(self, wall_time: _Optional[float] = ..., step: _Optional[int] = ..., file_version: _Optional[str] = ..., graph_def: _Optional[bytes] = ..., summary: _Optional[_Union[_summary_pb2.Summary, _Mapping[str, _Any]]] = ..., log_message: _Optional[_Union[LogMessage, _Mapping[str, _Any]]] = ..., session_log: _Optional[_Union[SessionLog, _Mapping[str, _Any]]] = ..., tagged_run_metadata: _Optional[_Union[TaggedRunMetadata, _Mapping[str, _Any]]] = ..., meta_graph_def: _Optional[bytes] = ..., source_metadata: _Optional[_Union[SourceMetadata, _Mapping[str, _Any]]] = ...) -> None: ...

class LogMessage(_message.Message):
    __slots__ = ("level", "message",)
    class Level(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
    DEBUGGING: LogMessage.Level
    ERROR: LogMessage.Level
    FATAL: LogMessage.Level
    INFO: LogMessage.Level
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN: LogMessage.Level
    WARN: LogMessage.Level
    level: LogMessage.Level
    message: str
    def __init__(self, level: _Optional[_Union[LogMessage.Level, str]] = ..., message: _Optional[str] = ...) -> None: ...

class SessionLog(_message.Message):
    __slots__ = ("checkpoint_path", "msg", "status",)
    class SessionStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
    CHECKPOINT: SessionLog.SessionStatus
    CHECKPOINT_PATH_FIELD_NUMBER: _ClassVar[int]
    MSG_FIELD_NUMBER: _ClassVar[int]
    START: SessionLog.SessionStatus
    STATUS_FIELD_NUMBER: _ClassVar[int]
    STATUS_UNSPECIFIED: SessionLog.SessionStatus
    STOP: SessionLog.SessionStatus
    checkpoint_path: str
    msg: str
    status: SessionLog.SessionStatus
    def __init__(self, status: _Optional[_Union[SessionLog.SessionStatus, str]] = ..., checkpoint_path: _Optional[str] = ..., msg: _Optional[str] = ...) -> None: ...

class SourceMetadata(_message.Message):
    __slots__ = ("writer",)
    WRITER_FIELD_NUMBER: _ClassVar[int]
    writer: str
    def __init__(self, writer: _Optional[str] = ...) -> None: ...

class TaggedRunMetadata(_message.Message):
    __slots__ = ("run_metadata", "tag",)
    RUN_METADATA_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    run_metadata: bytes
    tag: str
    def __init__(self, tag: _Optional[str] = ..., run_metadata: _Optional[bytes] = ...) -> None: ...
