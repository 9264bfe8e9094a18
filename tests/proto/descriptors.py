"""What a descriptor says, in a form in which our messages and TensorBoard's can be compared."""

import re
from collections.abc import Iterator
from types import ModuleType
from typing import NamedTuple

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, FileDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto

PACKAGE = re.compile(r"^(asynctb\.proto|tensorboard(\.(hparams|mesh|projector))?)\.")
RENAMED = {"tensorboard.hparams.DataType": "asynctb.proto.HParamInfo.DataType"}  # two DataTypes, one package of ours


class Field(NamedTuple):
    """All of a field that the bytes, or a reader's `HasField`, can tell."""

    number: int
    type: int
    label: int
    type_name: str
    oneof: str | None
    presence: bool
    packed: bool


def messages(modules: list[ModuleType]) -> dict[str, Descriptor]:
    """All messages that the modules know, those of maps' entries too, by short name."""
    tops = [top for file in files(modules) for top in file.message_types_by_name.values()]
    return {short(inner.full_name): inner for top in tops for inner in within(top)}


def enums(modules: list[ModuleType]) -> dict[str, EnumDescriptor]:
    """All enums that the modules know, by short name."""
    tops = [top for file in files(modules) for top in file.enum_types_by_name.values()]
    nested = [enum for message in messages(modules).values() for enum in message.enum_types]
    return {short(enum.full_name): enum for enum in tops + nested}


def files(modules: list[ModuleType]) -> list[FileDescriptor]:
    """The modules' files and all that these import, without protobuf's own."""
    known = {file.name: file for module in modules for file in with_imports(module.DESCRIPTOR)}
    return [file for file in known.values() if not file.package.startswith("google.")]


def with_imports(file: FileDescriptor) -> Iterator[FileDescriptor]:
    """The file and all that it imports."""
    yield file
    for imported in file.dependencies:
        yield from with_imports(imported)


def within(message: Descriptor) -> Iterator[Descriptor]:
    """The message and all inside it, maps' entries too."""
    yield message
    for inner in message.nested_types:
        yield from within(inner)


def short(full_name: str) -> str:
    """The name of a message or enum below its package, the same on both sides."""
    return PACKAGE.sub("", RENAMED.get(full_name, full_name))


def fields(message: Descriptor) -> dict[str, Field]:
    """A message's fields, by name."""
    written = DescriptorProto()
    message.CopyToProto(written)
    return {field.name: facts(field, message) for field in written.field}


def facts(written: FieldDescriptorProto, message: Descriptor) -> Field:
    """What counts of one field."""
    field = message.fields_by_name[written.name]
    oneof = field.containing_oneof
    return Field(
        number=written.number,
        type=written.type,
        label=written.label,
        type_name=short(written.type_name.removeprefix(".")),
        oneof=oneof.name if oneof and not written.proto3_optional else None,
        presence=field.has_presence and not message.GetOptions().map_entry,  # an entry is never asked
        packed=is_packed(written, message),
    )


def is_packed(written: FieldDescriptorProto, message: Descriptor) -> bool:
    """Whether a list of numbers is one run of bytes: what proto3 does if nothing is said, and proto2 does not."""
    if written.label != FieldDescriptorProto.LABEL_REPEATED or not is_number(written):
        return False
    return written.options.packed if written.options.HasField("packed") else is_proto3(message.file)


def is_number(written: FieldDescriptorProto) -> bool:
    """Whether the field's values have no length of their own."""
    return written.type not in (
        FieldDescriptorProto.TYPE_STRING,
        FieldDescriptorProto.TYPE_BYTES,
        FieldDescriptorProto.TYPE_MESSAGE,
    )


def is_proto3(file: FileDescriptor) -> bool:
    """Whether the file is in proto3."""
    written = FileDescriptorProto()
    file.CopyToProto(written)
    return written.syntax == "proto3"


def sample(field: FieldDescriptor) -> str:
    """The field in text format, with a value that another type would garble; twice if it may be."""
    repeated = fields(field.containing_type)[field.name].label == FieldDescriptorProto.LABEL_REPEATED
    return f"{field.name}: {value(field)}\n" * (2 if repeated else 1)


def value(field: FieldDescriptor) -> str:
    """A value for the field, in text format."""
    match field.cpp_type:
        case FieldDescriptor.CPPTYPE_MESSAGE:
            return f"{{ {entry(field.message_type)} }}"
        case FieldDescriptor.CPPTYPE_ENUM:
            return str(field.enum_type.values[1].name)
        case FieldDescriptor.CPPTYPE_STRING:
            return '"\u00e9"'
        case FieldDescriptor.CPPTYPE_BOOL | FieldDescriptor.CPPTYPE_UINT32 | FieldDescriptor.CPPTYPE_UINT64:
            return "1"
        case FieldDescriptor.CPPTYPE_FLOAT | FieldDescriptor.CPPTYPE_DOUBLE:
            return "1.5"
        case _:
            return "-1"


def entry(message: Descriptor) -> str:
    """Key and value, if the message stands for a map's entry; any other message may be empty."""
    return "".join(map(sample, message.fields)) if message.GetOptions().map_entry else ""
