"""Summary values that hold a tensor, assembled around its bytes: protobuf would visit every element of a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from asynctb.encode.arrays import Array
from asynctb.encode.tags import encode_tag
from asynctb.encode.wire import delimited, varint
from asynctb.proto import summary_pb2, tensor_pb2

__all__ = ["metadata", "strings", "tensor_head", "value"]

# Fields whose packed form is the array's bytes; readers know them as well as `tensor_content`, which takes all types.
_FIELDS = {"f4": b"\x2a", "f8": b"\x32"}  # TensorProto.float_val, double_val
_TENSOR_CONTENT = b"\x22"
_TYPES = {
    "f2": tensor_pb2.DT_HALF,
    "f4": tensor_pb2.DT_FLOAT,
    "f8": tensor_pb2.DT_DOUBLE,
    "i1": tensor_pb2.DT_INT8,
    "i2": tensor_pb2.DT_INT16,
    "i4": tensor_pb2.DT_INT32,
    "i8": tensor_pb2.DT_INT64,
    "u1": tensor_pb2.DT_UINT8,
    "u2": tensor_pb2.DT_UINT16,
    "u4": tensor_pb2.DT_UINT32,
    "u8": tensor_pb2.DT_UINT64,
    "b1": tensor_pb2.DT_BOOL,
    "c8": tensor_pb2.DT_COMPLEX64,
    "c16": tensor_pb2.DT_COMPLEX128,
}


def tensor_head(array: Array) -> bytes:
    """Return a `TensorProto` up to the bytes of an array's elements, which are to follow in C order, little-endian."""
    kind = array.dtype.str[1:]
    head = tensor_pb2.TensorProto(dtype=_TYPES[kind], tensor_shape={"dim": [{"size": size} for size in array.shape]})
    return head.SerializeToString() + _FIELDS.get(kind, _TENSOR_CONTENT) + varint(array.nbytes)


def strings(items: Sequence[bytes], shape: Sequence[int]) -> bytes:
    """Return byte strings as a `TensorProto` in wire form."""
    return tensor_pb2.TensorProto(
        dtype=tensor_pb2.DT_STRING, string_val=items, tensor_shape={"dim": [{"size": size} for size in shape]}
    ).SerializeToString()


def value(tag: str, proto: bytes, plugin: str, content: bytes = b"", **fields: Any) -> bytes:
    """Return one value of a summary, a field of `Summary`: a tensor in wire form, and what shows it.

    `fields` are further ones of `SummaryMetadata`: display name, description, data class.
    """
    head = summary_pb2.Summary.Value(tag=tag).SerializeToString() if encode_tag(tag) else b""
    body = b"".join((head, delimited(b"\x42", proto), metadata(plugin, content, **fields)))  # Value.tensor
    return delimited(b"\x0a", body)  # Summary.value


def metadata(plugin: str, content: bytes = b"", **fields: Any) -> bytes:
    """Return what tells TensorBoard how to show a value, a field of `Summary.Value`."""
    plugin_data = {"plugin_name": plugin, "content": content}
    return delimited(b"\x4a", summary_pb2.SummaryMetadata(plugin_data=plugin_data, **fields).SerializeToString())
