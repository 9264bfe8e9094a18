"""Text and tables: the Text dashboard."""

from __future__ import annotations

from collections.abc import Sequence

from asynctb.encode.text import text
from asynctb.methods.base import Family, R_co, Step, WallTime

__all__ = ["TextMethods"]


class TextMethods(Family[R_co]):
    """Texts by step."""

    def add_text(
        self,
        tag: str,
        text_string: str | Sequence[Sequence[object]],
        global_step: Step = None,
        walltime: WallTime = None,
        *,
        header: Sequence[object] | None = None,
    ) -> R_co:
        """Add a text, or a table, to the Text dashboard, under the tag `{tag}/text_summary`.

        Args:
            tag: the text's name.
            text_string: Markdown, stored as it is; or a list of rows, each a list of cells, which makes a table whose
                cells show their text literally, whatever Markdown or HTML is in it.
            global_step: the text's step; None for one more than this tag's last step, from 0.
            walltime: seconds since the epoch; None for now.
            header: the table's column names; only with a list of rows.

        Raises:
            EncodeError: for what is neither text nor rows of one length, and text that UTF-8 cannot encode.
        """
        return self._emit("add_text", tag, global_step, walltime, text, tag, text_string, header)
