"""The ways in which PyTorch writes ONNX files."""

import warnings
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Export:
    """`opset`: None for the exporter's own. `batch`: static or dynamic."""

    exporter: str
    opset: int | None
    batch: str
    # Of graph outputs; None for what the exporter calls them.
    names: tuple | None = None
    # Attributes of the exported module.
    settings: tuple = ()
    # In the file's name, where that would be another's.
    suffix: str = ""

    def file(self, network):
        opset = "" if self.opset is None else str(self.opset)
        return f"{network}.{self.exporter}{opset}{'.dynamic' if self.batch == 'dynamic' else ''}{self.suffix}.onnx"


def dynamo(batch="static", names=None):
    return Export("dynamo", None, batch, names)


def torchscript(opset, batch="static", names=None, settings=(), suffix=""):
    return Export("torchscript", opset, batch, names, settings, suffix)


EVERY = tuple(
    export for batch in ("static", "dynamic") for export in (dynamo(batch), *(torchscript(opset, batch) for opset in (9, 11, 17, 20)))
)


def write(export, module, shape, path, bare):
    """
    The module as a file; `shape` is that of one image. `bare`: without the names of modules and the lines of source code
    that today's exporter notes at each node, some of which are paths of this machine.
    """
    module = module.float().eval()
    dynamic = export.batch == "dynamic"
    # Two images: of a single one PyTorch takes the number to be a constant.
    example = torch.zeros(2 if dynamic else 1, *shape)
    names = None if export.names is None else list(export.names)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if export.exporter == "dynamo":
            shapes = {"dynamic_shapes": ({0: torch.export.Dim("batch")},)} if dynamic else {}
            program = torch.onnx.export(module, (example,), dynamo=True, output_names=names, verbose=False, **shapes)
            if bare:
                strip(program.model)
            program.save(path, external_data=True)
        else:
            # Names are needed where an axis is to be dynamic.
            outputs = names or (["output"] if dynamic else None)
            axes = {name: {0: "batch"} for name in ("input", *outputs)} if dynamic else None
            torch.onnx.export(
                module,
                (example,),
                path,
                dynamo=False,
                opset_version=export.opset,
                input_names=["input"] if dynamic else None,
                output_names=outputs,
                dynamic_axes=axes,
            )


def strip(model):
    model.metadata_props.clear()
    model.graph.metadata_props.clear()
    for value in (*model.graph.inputs, *model.graph.initializers.values()):
        value.metadata_props.clear()
    for node in model.graph:
        node.metadata_props.clear()
        node.doc_string = None
        for value in node.outputs:
            value.metadata_props.clear()
    for function in model.functions.values():
        function.metadata_props.clear()
        for node in function:
            node.metadata_props.clear()
