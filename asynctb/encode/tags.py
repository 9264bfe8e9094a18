"""Tags and sub-runs: what their text must be, so that readers survive it and nothing leaves the log directory."""

from __future__ import annotations

from asynctb.errors import EncodeError

__all__ = ["encode_tag", "sub_run"]


def encode_tag(tag: object) -> bytes:
    """Return a tag as UTF-8; raises `EncodeError` for what is not text or holds lone surrogates.

    TensorBoard's default reader gives up on the file at a tag that is not UTF-8. Any other text is legal, empty too.
    """
    if not isinstance(tag, str):
        raise EncodeError(tag, "a tag: text", tag)
    try:
        return tag.encode()
    except UnicodeEncodeError as error:
        raise EncodeError(tag, "a tag that UTF-8 can encode", tag) from error


def sub_run(tag: str, run: str) -> str:
    """Return a sub-run's path below the log directory, its empty parts left out.

    Raises `EncodeError` for a path that is absolute, has `..` in it, or holds what no file name can.
    """
    encode_tag(run)
    parts = [part for part in run.split("/") if part not in ("", ".")]
    if run.startswith("/") or ".." in parts or "\0" in run or not parts:
        raise EncodeError(tag, "a sub-run below the log directory", run)
    return "/".join(parts)
