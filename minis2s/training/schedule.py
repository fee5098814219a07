"""How the step size changes from step to step, besides its decay when validation stops improving.

Source: Vaswani et al. (2017), section 5.3 (3).  t = 1, 2, ... counts steps, w is the length of the warm-up.

(LR1)  lr_t = lr min(1, t/w)                "constant": grows evenly through the warm-up, then stays
(LR2)  lr_t = lr min(t/w, sqrt(w/t))        "inverse-sqrt": grows likewise, then falls with the root of t

`lr` is the greatest step size, at t = w.  The paper writes D^-0.5 min(t^-0.5, t w^-1.5): that is (LR2) with
lr = (D w)^-0.5.  Why a warm-up: Adam's first estimates rest on few gradients, and with post-norm the gradients
near the output are large before training has settled (Xiong et al. 2020).
"""
import math

SCHEDULES = ("constant", "inverse-sqrt")


def factor(schedule: str, warmup: int | None, t: int) -> float:
    """What lr is multiplied by at step t (from 1); `warmup` None: there is none."""
    if schedule == "inverse-sqrt":
        return min(t / warmup, math.sqrt(warmup / t))           # (LR2)
    return 1.0 if warmup is None else min(1.0, t / warmup)      # (LR1)
