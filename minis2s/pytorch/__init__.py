"""The same models on PyTorch, an optional library: pip install "minis2s[torch]".

Start with model.py: the whole encoder-decoder as one nn.Module, under the same marks, importing only torch.

    model.py     the nn.Module                                transformer.py  the Transformer's
    convert.py   parameters there and back
    backend.py   training on it, on a CPU or a GPU            update.py    the optimizers' equations on tensors
    processes.py several processes that train one model       interop.py   single layers of torch.nn
    export.py    a run as a folder of its own             onnx_graphs.py  the model as two ONNX graphs
    standalone/  files of such a folder: copied           importing.py  the reverse, for torch.nn's own layers

It may import everything above pytorch/.  Nothing imports the files that import torch before they are asked for.
"""
