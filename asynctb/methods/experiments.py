"""Hyperparameters and layouts: the HParams and Custom Scalars dashboards."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from os import PathLike
from time import time
from typing import Any

from asynctb.encode.custom_scalars import custom_chart, custom_scalars
from asynctb.encode.hparams import Session, hparams
from asynctb.methods.base import Family, Number, R_co, Step

__all__ = ["ExperimentMethods"]


class ExperimentMethods(Family[R_co]):
    """What goes with a run as a whole."""

    def add_hparams(
        self,
        hparam_dict: Mapping[str, Any],
        metric_dict: Mapping[str, Number | None],
        hparam_domain_discrete: Mapping[str, Collection[Any]] | None = None,
        run_name: str | PathLike[str] | None = None,
        global_step: Step = None,
        *,
        group_name: str = "",
        descriptions: Mapping[str, str] | None = None,
        metric_display_names: Mapping[str, str] | None = None,
        live: bool = False,
    ) -> R_co:
        """Add a row to the HParams dashboard: hyperparameters, and the metrics that came of them.

        As in torch, the row is a run of its own below the log directory. `run_name="."` makes it this run: its curves
        then have the hyperparameters beside them in the list of runs, and the metrics can be tags of `add_scalar`.

        TensorBoard keeps what a run says first: a second call for the same run adds its points and changes nothing
        else. The columns are those of the first run that names any, and only metrics that are named there.

        Args:
            hparam_dict: values by name; nested mappings, namespaces and dataclasses join their names with `/`. Numbers,
                also numpy's and torch's of one element, and booleans stay what they are; all else is shown as text:
                lists, enums, paths, classes and functions by their names; also NaN, infinities and integers beyond
                float64, which the dashboard cannot hold as numbers. None is left out.
            metric_dict: a number for each metric, each also a point of the curve of that name; None for a metric whose
                points come by `add_scalar`. May be empty.
            hparam_domain_discrete: lists of the values that a hyperparameter may have, by which the dashboard filters.
            run_name: the row's run, below the log directory; None for the time of the call.
            global_step: the metrics' step; None for none, or with `run_name="."` for one more than each tag's last.
            group_name: rows of one group are shown as one: repeats with equal hyperparameters.
            descriptions: Markdown by the names of hyperparameters and metrics.
            metric_display_names: titles of metrics' columns, by their names.
            live: the session begins now, and ends when the writer is closed: well, or as a failure if its `with` block
                is left by an exception. Until then, and if it is never closed, it has no status ("Unknown"). Without
                metrics, descriptions and domains, TensorBoard makes the columns itself: of all hyperparameters of all
                runs and all their scalars.

        Raises:
            EncodeError: for what is no mapping, names that are no text, a value that cannot be had as text, a metric
                that is no number, domains of another kind than the value, descriptions of what is not there, and a run
                outside the log directory.
        """
        session = Session(
            run_name=run_name or str(time()),
            domains=hparam_domain_discrete,
            group_name=group_name,
            descriptions=descriptions,
            metric_display_names=metric_display_names,
            clock=time if live else None,
        )
        return self._emit("add_hparams", "add_hparams", global_step, None, hparams, hparam_dict, metric_dict, session)

    def add_custom_scalars(
        self, layout: Mapping[str, Mapping[str, Sequence[Any]]], *, closed: Iterable[str] = ()
    ) -> R_co:
        """Add charts to the Custom Scalars dashboard, each of several curves of the Scalars dashboard.

        Each call adds to the writer's layout; a chart of the same title and category is replaced. It may come before
        or after the curves' points.

        Args:
            layout: charts by title, by title of their category: `{"losses": {"all": ["Multiline", ["loss/.*"]]}}`.
                "Multiline" goes with a list of regular expressions: a chart shows each tag that begins with a match of
                one, so a tag with special characters needs `re.escape`. "Margin" goes with three tags, of a curve and
                the lower and upper bound of its band, or with a list of such triples.
            closed: the categories that are folded up at first.

        Raises:
            EncodeError: for anything else, by the names of category and chart. Nothing of the call is stored then.
        """
        return self._emit("add_custom_scalars", "layout", None, None, custom_scalars, layout, closed, self._layout)

    def add_custom_scalars_multilinechart(
        self, tags: Iterable[str], category: str = "default", title: str = "untitled"
    ) -> R_co:
        """Add a chart of several curves to the Custom Scalars dashboard.

        Args:
            tags: regular expressions; the chart shows each tag that begins with a match of one.
            category: the title that the chart is under.
            title: the chart's title; one that is there already, in the same category, is replaced.

        Raises:
            EncodeError: as `add_custom_scalars`.
        """
        method = "add_custom_scalars_multilinechart"
        return self._emit(method, "tags", None, None, custom_chart, category, title, "Multiline", tags, self._layout)

    def add_custom_scalars_marginchart(
        self, tags: Iterable[Any], category: str = "default", title: str = "untitled"
    ) -> R_co:
        """Add a chart of curves within bands to the Custom Scalars dashboard.

        Args:
            tags: three tags, of a curve and the lower and upper bound of its band; or a list of such triples.
            category: the title that the chart is under.
            title: the chart's title; one that is there already, in the same category, is replaced.

        Raises:
            EncodeError: as `add_custom_scalars`.
        """
        method = "add_custom_scalars_marginchart"
        return self._emit(method, "tags", None, None, custom_chart, category, title, "Margin", tags, self._layout)
