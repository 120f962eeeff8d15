"""An ensemble: the mean of four small networks of different architectures.

One has dilated convolutions, one is a U-Net, one reads the picture at three sizes, one scores bins along the axes. Each
is a baseline of its own. Their errors differ, so they partly cancel in the mean.
"""

from harness import Ensemble, Member, load_baseline

NAMES = ("fully_convolutional", "unet", "multiscale", "coordinate_bins")


def build_estimator(layout, image_size):
    return Ensemble(layout, image_size, [Member.of(load_baseline(name)) for name in NAMES])
