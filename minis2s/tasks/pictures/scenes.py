"""Scenes: shapes on a grey ground, written as recipes and drawn as pixels.

A thing has a size, a colour, a shape and a middle (x, y), counted from the upper left corner:

    "small red circle 5 7; large blue square 17 14; seed 9"

The seed makes the ground, the brightness of colours and a little noise: no two pictures have the same pixels.
"""
import re
from typing import NamedTuple

import numpy as np

SIDE = 24                           # pixels of a side
SIZES = {"small": 2.8, "large": 4.6}        # half a side, or the radius, in pixels
COLOURS = {"red": (0.9, 0.15, 0.15), "green": (0.15, 0.75, 0.2), "blue": (0.2, 0.3, 0.95), "yellow": (0.95, 0.85, 0.1)}
SHAPES = ("circle", "square", "triangle")
THING = re.compile(rf"({'|'.join(SIZES)}) ({'|'.join(COLOURS)}) ({'|'.join(SHAPES)}) (\d+) (\d+)")


class Thing(NamedTuple):
    size: str
    colour: str
    shape: str
    x: int
    y: int

    def __str__(self):
        return " ".join(map(str, self))


class Scene(NamedTuple):
    things: tuple               # of Thing
    seed: int

    def __str__(self):
        return "; ".join([*map(str, self.things), f"seed {self.seed}"])


def parsed(recipe):
    """A recipe -> Scene; ValueError for what is none."""
    *things, last = recipe.split("; ")
    found = [THING.fullmatch(text) for text in things]
    seed = re.fullmatch(r"seed (\d+)", last)
    if not seed or not things or not all(found):
        raise ValueError(f"picture:{recipe[:60]}: no recipe, wanted such as picture:small red circle 5 7; seed 9")
    return Scene(tuple(Thing(*m.groups()[:3], int(m[4]), int(m[5])) for m in found), int(seed[1]))


def draw(scene):
    """The pixels of a scene: -> (SIDE, SIDE, 3), from 0 to 1."""
    rng = np.random.default_rng((13, scene.seed))
    pixels = np.full((SIDE, SIDE, 3), rng.uniform(0.45, 0.65)) + 0.02 * rng.normal(size=(SIDE, SIDE, 3))
    y, x = np.mgrid[:SIDE, :SIDE]
    for thing in scene.things:
        inside = covers(thing, x - thing.x, y - thing.y)
        colour = np.array(COLOURS[thing.colour]) * rng.uniform(0.85, 1.05)
        pixels[inside] = colour + 0.02 * rng.normal(size=(inside.sum(), 3))
    return np.clip(pixels, 0, 1)


def covers(thing, dx, dy):
    """Where a shape is, seen from its middle."""
    r = SIZES[thing.size]
    if thing.shape == "circle":
        return dx ** 2 + dy ** 2 <= r ** 2
    if thing.shape == "square":
        return np.maximum(abs(dx), abs(dy)) <= 0.87 * r
    return (dy <= 0.9 * r) & (dy + r >= 2 * abs(dx) * 0.9)     # a triangle that stands on its base
