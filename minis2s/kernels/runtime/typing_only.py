"""The type of what a function returns, without compiling it: the first third of Numba's compiler."""
from types import SimpleNamespace

from .numba_private import (
    AnalysisPass, CompilerBase, DefaultPassBuilder, NopythonTypeInference, PassManager, register_pass
)


@register_pass(mutates_CFG=False, analysis_only=True)
class TypeIsResult(AnalysisPass):
    """What a compilation returns is the type of what the function returns."""
    _name = "minis2s_type_is_result"

    def __init__(self):
        AnalysisPass.__init__(self)

    def run_pass(self, state):
        state.cr = SimpleNamespace(typing_error=None, type=state.return_type)      # Numba looks at the first
        return False


class Typing(CompilerBase):
    """A compiler that ends when all types are known."""

    def define_pipelines(self):
        passes = PassManager("types only")
        passes.passes.extend(DefaultPassBuilder.define_untyped_pipeline(self.state).passes)
        passes.add_pass(NopythonTypeInference, "types")
        passes.add_pass(TypeIsResult, "result")
        passes.finalize()
        return [passes]


def type_of_result(dispatcher, args):
    """The type of what a function returns for arguments of these types; the function itself is not compiled."""
    worker = dispatcher._compiler
    usual, worker.pipeline_class = worker.pipeline_class, Typing
    try:
        return worker._compile_core(args, None).type
    finally:
        worker.pipeline_class = usual
