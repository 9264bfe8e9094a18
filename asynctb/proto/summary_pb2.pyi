# Generated from asynctb/proto/summary.proto by python -m tests.protos (protoc 21.6). Do not edit.
from asynctb.proto import tensor_pb2 as _tensor_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import Any as _Any, ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DATA_CLASS_BLOB_SEQUENCE: DataClass
DATA_CLASS_SCALAR: DataClass
DATA_CLASS_TENSOR: DataClass
DATA_CLASS_UNKNOWN: DataClass
DESCRIPTOR: _descriptor.FileDescriptor

class HistogramProto(_message.Message):
    __slots__ = ("bucket", "bucket_limit", "max", "min", "num", "sum", "sum_squares",)
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    BUCKET_LIMIT_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    MIN_FIELD_NUMBER: _ClassVar[int]
    NUM_FIELD_NUMBER: _ClassVar[int]
    SUM_FIELD_NUMBER: _ClassVar[int]
    SUM_SQUARES_FIELD_NUMBER: _ClassVar[int]
    bucket: _containers.RepeatedScalarFieldContainer[float]
    bucket_limit: _containers.RepeatedScalarFieldContainer[float]
    max: float
    min: float
    num: float
    sum: float
    sum_squares: float
    def __init__(self, min: _Optional[float] = ..., max: _Optional[float] = ..., num: _Optional[float] = ..., sum: _Optional[float] = ..., sum_squares: _Optional[float] = ..., bucket_limit: _Optional[_Iterable[float]] = ..., bucket: _Optional[_Iterable[float]] = ...) -> None: ...

class Summary(_message.Message):
    __slots__ = ("value",)
    class Audio(_message.Message):
        __slots__ = ("content_type", "encoded_audio_string", "length_frames", "num_channels", "sample_rate",)
        CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
        ENCODED_AUDIO_STRING_FIELD_NUMBER: _ClassVar[int]
        LENGTH_FRAMES_FIELD_NUMBER: _ClassVar[int]
        NUM_CHANNELS_FIELD_NUMBER: _ClassVar[int]
        SAMPLE_RATE_FIELD_NUMBER: _ClassVar[int]
        content_type: str
        encoded_audio_string: bytes
        length_frames: int
        num_channels: int
        sample_rate: float
        def __init__(self, sample_rate: _Optional[float] = ..., num_channels: _Optional[int] = ..., length_frames: _Optional[int] = ..., encoded_audio_string: _Optional[bytes] = ..., content_type: _Optional[str] = ...) -> None: ...
    class Image(_message.Message):
        __slots__ = ("colorspace", "encoded_image_string", "height", "width",)
        COLORSPACE_FIELD_NUMBER: _ClassVar[int]
        ENCODED_IMAGE_STRING_FIELD_NUMBER: _ClassVar[int]
        HEIGHT_FIELD_NUMBER: _ClassVar[int]
        WIDTH_FIELD_NUMBER: _ClassVar[int]
        colorspace: int
        encoded_image_string: bytes
        height: int
        width: int
        def __init__(self, height: _Optional[int] = ..., width: _Optional[int] = ..., colorspace: _Optional[int] = ..., encoded_image_string: _Optional[bytes] = ...) -> None: ...
    class Value(_message.Message):
        __slots__ = ("audio", "histo", "image", "metadata", "node_name", "obsolete_old_style_histogram", "simple_value", "tag", "tensor",)
        AUDIO_FIELD_NUMBER: _ClassVar[int]
        HISTO_FIELD_NUMBER: _ClassVar[int]
        IMAGE_FIELD_NUMBER: _ClassVar[int]
        METADATA_FIELD_NUMBER: _ClassVar[int]
        NODE_NAME_FIELD_NUMBER: _ClassVar[int]
        OBSOLETE_OLD_STYLE_HISTOGRAM_FIELD_NUMBER: _ClassVar[int]
        SIMPLE_VALUE_FIELD_NUMBER: _ClassVar[int]
        TAG_FIELD_NUMBER: _ClassVar[int]
        TENSOR_FIELD_NUMBER: _ClassVar[int]
        audio: Summary.Audio
        histo: HistogramProto
        image: Summary.Image
        metadata: SummaryMetadata
        node_name: str
        obsolete_old_style_histogram: bytes
        simple_value: float
        tag: str
        tensor: _tensor_pb2.TensorProto
        def __init__(self, tag: _Optional[str] = ..., node_name: _Optional[str] = ..., metadata: _Optional[_Union[SummaryMetadata, _Mapping[str, _Any]]] = ..., simple_value: _Optional[float] = ..., obsolete_old_style_histogram: _Optional[bytes] = ..., image: _Optional[_Union[Summary.Image, _Mapping[str, _Any]]] = ..., histo: _Optional[_Union[HistogramProto, _Mapping[str, _Any]]] = ..., audio: _Optional[_Union[Summary.Audio, _Mapping[str, _Any]]] = ..., tensor: _Optional[_Union[_tensor_pb2.TensorProto, _Mapping[str, _Any]]] = ...) -> None: ...
    VALUE_FIELD_NUMBER: _ClassVar[int]
    value: _containers.RepeatedCompositeFieldContainer[Summary.Value]
    def __init__(self, value: _Optional[_Iterable[_Union[Summary.Value, _Mapping[str, _Any]]]] = ...) -> None: ...

class SummaryMetadata(_message.Message):
    __slots__ = ("data_class", "display_name", "plugin_data", "summary_description",)
    class PluginData(_message.Message):
        __slots__ = ("content", "plugin_name",)
        CONTENT_FIELD_NUMBER: _ClassVar[int]
        PLUGIN_NAME_FIELD_NUMBER: _ClassVar[int]
        content: bytes
        plugin_name: str
        def __init__(self, plugin_name: _Optional[str] = ..., content: _Optional[bytes] = ...) -> None: ...
    DATA_CLASS_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    PLUGIN_DATA_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    data_class: DataClass
    display_name: str
    plugin_data: SummaryMetadata.PluginData
    summary_description: str
    def __init__(self, plugin_data: _Optional[_Union[SummaryMetadata.PluginData, _Mapping[str, _Any]]] = ..., display_name: _Optional[str] = ..., summary_description: _Optional[str] = ..., data_class: _Optional[_Union[DataClass, str]] = ...) -> None: ...

class DataClass(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
