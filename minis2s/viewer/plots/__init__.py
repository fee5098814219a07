"""Pictures of a run: loss curves, attention maps, and how gradients flow.

Every function returns a `matplotlib.figure.Figure` of its own and saves it when a path is given; pyplot and
its global list of figures are never used.  matplotlib is imported when the first figure is drawn.

    style      colours and settings; new figures; saving
    fonts      labels in any language
    curves     loss_curves
    attention  attention_map, attention_grid
    frames     attention_over_frames: a picture or a spectrogram, and the weights beneath it
    gradients  gradient_paths, gradient_norms, jacobian_spectra, gate_saturation
"""
from .attention import attention_grid, attention_map                                         # noqa: F401
from .curves import loss_curves                                                              # noqa: F401
from .frames import attention_over_frames                                                    # noqa: F401
from .gradients import gate_saturation, gradient_norms, gradient_paths, jacobian_spectra     # noqa: F401
from .style import BLACK, BLUE, GREEN, ORANGE, PURPLE, canvas, new_figure, panel_row, styled  # noqa: F401
