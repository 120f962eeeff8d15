"""An ensemble: the mean of three networks that err in different places.

Two feature pyramids that start from rendered faces and differ in their seed, and so in what they see when; and one that
starts from nothing. The mean of errors that differ is smaller than each of them. `harness blend` weighs any list of
submissions instead.
"""

from harness import Ensemble, Member, load_baseline

pretrained, pyramid = load_baseline("pretrained"), load_baseline("feature_pyramid")
members = [
    Member.of(pretrained, epochs=40),
    Member.of(pretrained, epochs=40, seed=1),
    Member.of(pyramid, epochs=40, seed=2),
]


def build_estimator(layout, image_size):
    return Ensemble(layout, image_size, members)
