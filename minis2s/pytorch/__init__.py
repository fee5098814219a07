"""The same models on PyTorch, an optional library: pip install "minis2s[torch]".

Start with model.py: the whole encoder-decoder as one nn.Module, under the same marks, importing only torch.

    model.py     the nn.Module                                convert.py   parameters there and back
    export.py    a run as a folder that needs only torch      interop.py   single layers of torch.nn
    standalone/  files of such a folder: they are copied, not imported

It may import everything above pytorch/.  Only model.py and convert.py import torch, and nothing imports them
before they are asked for.
"""
