"""Prove that this folder computes what minis2s computed: the same logits, loss, greedy answers and beams.

`reference.safetensors` holds a batch with the logits of minis2s's hand-written model, `reference.json` its loss and its
answers.  Exit status 0 means that all agree.
"""
import json
import sys

import load
import search
import torch

TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5}        # relative to the largest logit


def main():
    """Compare and print."""
    model, wanted = load.model(), load.tensors(load.HERE / "reference.safetensors")
    said = json.loads((load.HERE / "reference.json").read_text(encoding="utf-8"))
    source, inputs, targets = wanted["source"], wanted["inputs"], wanted["targets"]
    mask, target_mask = wanted["source_mask"] > 0, wanted["target_mask"] > 0
    with torch.no_grad():
        logits = model(source, mask, inputs)
        loss = float(model.loss(logits, targets, target_mask))
    bound = TOLERANCE[logits.dtype]
    error = float((logits - wanted["logits"]).abs().max() / wanted["logits"].abs().max())
    greedy = model.greedy(source, mask, said["max_length"])
    found = search.beam(model, source, mask, said["max_length"], said["beam"], 1.0, said["nbest"])
    beams = [[ids for ids, _, _ in best] for best in found]
    results = {"logits": error <= bound, "loss": abs(loss - said["loss"]) <= bound * max(1.0, abs(said["loss"])),
               "greedy answers": greedy == said["greedy"], "beams": beams == said["beams"]}
    print(f"logits differ by {error:.1e} of the largest one ({bound:.0e} allowed), loss {loss:.12g} and "
          f"{said['loss']:.12g}")
    for name, right in results.items():
        print(f"{'same' if right else 'DIFFERENT':<10} {name}")
    return 0 if all(results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
