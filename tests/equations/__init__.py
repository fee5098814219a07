"""A check of every equation, found by its mark: UNITS maps marks, as (L4) and (L4*), to the unit that computes them."""
from . import attention, cells, compression, functions, layers, model, printed, saliency, training, transformer

UNITS = {mark: unit
         for file in (functions, cells, attention, layers, model, training, compression, saliency, printed, transformer)
         for unit in file.UNITS for mark in unit.marks}
