"""The generated modules are current, run under every supported protobuf, and speak TensorBoard's own bytes."""

import re
import subprocess
import sys
from importlib.metadata import version
from itertools import permutations
from pathlib import Path

import pytest
from google.protobuf import text_format
from google.protobuf.descriptor import EnumDescriptor
from tensorboard.compat.proto import config_pb2 as tb_config
from tensorboard.compat.proto import event_pb2 as tb_event
from tensorboard.plugins.audio import plugin_data_pb2 as tb_audio
from tensorboard.plugins.custom_scalar import layout_pb2 as tb_layout
from tensorboard.plugins.histogram import plugin_data_pb2 as tb_histogram
from tensorboard.plugins.hparams import plugin_data_pb2 as tb_hparams
from tensorboard.plugins.image import plugin_data_pb2 as tb_image
from tensorboard.plugins.mesh import plugin_data_pb2 as tb_mesh
from tensorboard.plugins.pr_curve import plugin_data_pb2 as tb_pr_curve
from tensorboard.plugins.projector import projector_config_pb2 as tb_projector
from tensorboard.plugins.scalar import plugin_data_pb2 as tb_scalar
from tensorboard.plugins.text import plugin_data_pb2 as tb_text

from asynctb.proto import custom_scalars_pb2, event_pb2, hparams_pb2, plugins_pb2, projector_pb2, run_metadata_pb2
from tests.proto.descriptors import enums, fields, messages, sample
from tests.protos import PROTO, ROOT, generate

# Together with what they import, all of it.
OUR_MODULES = [custom_scalars_pb2, event_pb2, hparams_pb2, plugins_pb2, projector_pb2, run_metadata_pb2]
TB_CORE = [tb_config, tb_event, tb_hparams, tb_layout, tb_projector]
TB_PLUGINS = [tb_audio, tb_histogram, tb_image, tb_mesh, tb_pr_curve, tb_scalar, tb_text]

OURS = messages(OUR_MODULES)
THEIRS = messages(TB_CORE + TB_PLUGINS)
OUR_ENUMS = enums(OUR_MODULES)
THEIR_ENUMS = enums(TB_CORE + TB_PLUGINS)

LEFT_OUT = {
    "NodeDef.experimental_type": "for TensorFlow's own checks; experimental still, and TensorBoard does not look at it",
    "OpDef.ArgDef.experimental_full_type": "as above",
}
LEFT_OUT_VALUES = re.compile(r"DT_\w+_REF")  # variables by reference, of TensorFlow 1

KNOWN_VERSION = (2, 21)
THAT_VERSION = pytest.mark.skipif(
    tuple(map(int, version("tensorboard").split(".")[:2])) < KNOWN_VERSION,
    reason="our messages are those of TensorBoard 2.21, so an older one lacks some fields",
)
EACH_MESSAGE = pytest.mark.parametrize("name", OURS)
# A map's entry travels in its map only; protobuf 4.21 loses one that is sent by itself.
EACH_SENT = pytest.mark.parametrize("name", [name for name in OURS if not OURS[name].GetOptions().map_entry])
EACH_ENUM = pytest.mark.parametrize("name", OUR_ENUMS)

# What a process imports to get each family of protos; `event_pb2` is then the family's own.
FAMILIES = {
    "asynctb": "from asynctb.proto import event_pb2, hparams_pb2, plugins_pb2, run_metadata_pb2, projector_pb2",
    "tensorboard": "from tensorboard.compat.proto import event_pb2, config_pb2\n"
    "from tensorboard.plugins.hparams import plugin_data_pb2\n"
    "from tensorboard.plugins.projector import projector_config_pb2",
    "tensorboardX": "from tensorboardX.proto import event_pb2, plugin_hparams_pb2, layout_pb2",
}
SAME_BYTES = """
written.append(
    event_pb2.Event(wall_time=1.5, step=-1, summary={"value": [{"tag": "a", "simple_value": 0.5}]}).SerializeToString()
)
"""


def snapshot(place: Path) -> dict[str, bytes]:
    """All generated files of a folder, by name."""
    return {path.name: path.read_bytes() for path in place.glob("*_pb2.py*")}


def numbers(enum: EnumDescriptor) -> dict[str, int]:
    """An enum's numbers by name, without the values left out."""
    return {value.name: value.number for value in enum.values if not LEFT_OUT_VALUES.fullmatch(value.name)}


def test_is_what_the_sources_make(tmp_path: Path) -> None:
    """Generating again gives the names and the bytes that are checked in."""
    assert snapshot(generate(tmp_path)) == snapshot(ROOT / PROTO)


@pytest.mark.parametrize("name", snapshot(ROOT / PROTO))
def test_says_that_it_is_generated(name: str) -> None:
    """The first line tells a reader not to edit the file, and what makes it."""
    first = (ROOT / PROTO / name).read_text().splitlines()[0]
    assert re.fullmatch(r"# Generated from asynctb/proto/\w+\.proto by python -m tests\.protos .* Do not edit\.", first)


@pytest.mark.parametrize("name", snapshot(ROOT / PROTO))
def test_asks_for_no_newer_protobuf(name: str) -> None:
    """No module carries the stamp by which newer generated code refuses an older protobuf."""
    assert "ValidateProtobufRuntimeVersion" not in (ROOT / PROTO / name).read_text()


@EACH_MESSAGE
def test_has_every_field_of_tensorboards_message(name: str) -> None:
    """Each field of TensorBoard's is ours with the same facts, unless the list says why it is left out."""
    wanted = {key: field for key, field in fields(THEIRS[name]).items() if f"{name}.{key}" not in LEFT_OUT}
    ours = fields(OURS[name])
    assert {key: ours.get(key) for key in wanted} == wanted


@THAT_VERSION
@EACH_MESSAGE
def test_has_no_field_of_its_own(name: str) -> None:
    """Every field of ours is TensorBoard's too, and what is said to be left out is left out."""
    ours = set(fields(OURS[name]))
    left_out = {path.rpartition(".")[2] for path in LEFT_OUT if path.rpartition(".")[0] == name}
    assert ours | left_out == set(fields(THEIRS[name]))
    assert not ours & left_out


@EACH_ENUM
def test_has_every_value_of_tensorboards_enum(name: str) -> None:
    """Each value of TensorBoard's enum is ours with the same number, but for the references of TensorFlow 1."""
    wanted = numbers(THEIR_ENUMS[name])
    ours = numbers(OUR_ENUMS[name])
    assert {key: ours.get(key) for key in wanted} == wanted


@THAT_VERSION
@EACH_ENUM
def test_has_no_value_of_its_own(name: str) -> None:
    """Every value of our enum is TensorBoard's too."""
    assert numbers(OUR_ENUMS[name]).keys() == numbers(THEIR_ENUMS[name]).keys()


@EACH_SENT
def test_reads_and_writes_tensorboards_bytes(name: str) -> None:
    """A message of TensorBoard's with any one field set reads the same in ours, and goes back to the same bytes."""
    theirs, ours = THEIRS[name]._concrete_class, OURS[name]._concrete_class
    for field in THEIRS[name].fields:
        if f"{name}.{field.name}" not in LEFT_OUT:
            sent = text_format.Parse(sample(field), theirs())
            got = ours.FromString(sent.SerializeToString())
            assert text_format.MessageToString(got) == text_format.MessageToString(sent) != ""
            assert got.SerializeToString() == sent.SerializeToString()


def test_keeps_what_is_left_out() -> None:
    """A field that we leave out passes through us as the bytes it was."""
    node = b"\n\x01a:\x02\x08\x01"  # NodeDef(name="a", experimental_type=FullTypeDef(type_id=TFT_VAR))
    assert OURS["NodeDef"]._concrete_class.FromString(node).SerializeToString() == node


@pytest.mark.parametrize("order", list(permutations(FAMILIES)), ids="-".join)
def test_lives_beside_the_other_families(order: tuple[str, ...]) -> None:
    """Our modules, TensorBoard's and tensorboardX's import in any order into one process, and write the same bytes."""
    lines = ["written = []", *(FAMILIES[family] + SAME_BYTES for family in order), "assert len(set(written)) == 1"]
    subprocess.run([sys.executable, "-W", "error", "-c", "\n".join(lines)], cwd=ROOT, check=True)
