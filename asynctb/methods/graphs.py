"""Graphs of models: the Graphs dashboard."""

from __future__ import annotations

from time import time_ns
from typing import Any

from asynctb.methods.base import Family, R_co

__all__ = ["GraphMethods"]


class GraphMethods(Family[R_co]):
    """Graphs of models, which are traced before the add is done."""

    def add_graph(
        self,
        model: Any,
        input_to_model: Any = None,
        verbose: bool = False,
        use_strict_trace: bool = True,
        *,
        profile: bool = False,
    ) -> R_co:
        """Add a model's graph to the Graphs dashboard: its operators in boxes by module, and the tensors between them.

        The graph is found by running the model in evaluation mode, once, by `torch.jit.trace`. Where inputs or results
        are more than the tracer takes (text, None, objects of any kind), a second run shows it the tensors among them
        alone. What it cannot take at all, such as `torch.cond`, goes to `torch.export`, whose operators are drawn in
        the same boxes; while that runs, `torch.compiler.is_compiling()` is true for the whole process. Of what depends
        on the data, the tracer draws the way that these inputs lead. Afterwards each module is in the mode in which it
        was. What else a run changes stays changed, such as buffers that `forward` writes to in evaluation mode, and
        random numbers that it draws.

        It runs in a thread for `AsyncSummaryWriter`, with the caller's context variables, gradient and inference mode
        and autocast. Until the await completes nothing else may use the model; a cancelled one goes on in its thread
        until it is through, and restores the modes then, so change nothing and train nothing before that. A run keeps
        one graph: TensorBoard shows the last.

        Args:
            model: a `torch.nn.Module`, or one that is traced or scripted already; or what is a graph by itself, and
                needs no inputs: a `torch.export.ExportedProgram`, a `torch.fx.GraphModule`, TensorFlow's or any other
                library's `GraphDef`, the bytes of one, or a pair of one and its `RunMetadata`.
            input_to_model: what to call the model with: a tensor, or a tuple or list of arguments, or a mapping of
                keyword arguments. A mapping whose keys are no arguments of `forward` is its one argument.
            verbose: print torch's form of the graph.
            use_strict_trace: False has the tracer take lists and dictionaries that the model makes without a question.
            profile: run the graph twice more, node by node, the first time to warm up, and store what each node took:
                time, and memory of its results and of what a module holds. TensorBoard colours by either, under the
                tag "step1".

        Raises:
            EncodeError: for what is no model, for missing inputs, for a model that neither `torch.jit.trace` nor
                `torch.export` can take with these inputs, in the words of both, and for `profile` where a node cannot
                be run by itself. Nothing is stored then.
        """
        from asynctb.encode.graph.model import graph  # a tenth of the package, and few programs draw models

        return self._emit(
            "add_graph",
            "add_graph",
            None,
            None,
            graph,
            model,
            input_to_model,
            verbose,
            use_strict_trace,
            profile,
            time_ns,
        )

    def add_onnx_graph(self, prototxt: Any) -> R_co:
        """Add the graph of an ONNX model to the Graphs dashboard.

        Args:
            prototxt: the model: its file, as a path or open for reading, its bytes, or an `onnx.ModelProto`. Weights
                in files of their own are not looked for. Graphs inside of operators are not drawn.

        Raises:
            EncodeError: for what is no ONNX model, or one without a graph.
            OSError: if the file cannot be read.
            ImportError: if it has to be parsed, and onnx is not installed: `pip install 'asynctb[onnx]'`.
        """
        from asynctb.encode.graph.onnx import onnx_graph

        return self._emit("add_onnx_graph", "add_onnx_graph", None, None, onnx_graph, prototxt)
