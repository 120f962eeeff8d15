"""The strongest baseline: four networks, each trained without a third of the people, and their errors learnt.

A network errs alike on all strangers, and on the people that it was trained on it hides this. So each of the four is
trained three times, without another third of the people each time; what their mean gets wrong on those who were left
out, a ridge regression learns and takes back. Twelve networks also average out what each has learnt by heart.
"""

from harness import Member, Stacked, load_baseline


def build_estimator(layout, image_size):
    members = [
        Member.of(load_baseline("pretrained"), epochs=50),
        Member.of(load_baseline("feature_pyramid"), epochs=30),
        Member.of(load_baseline("fully_convolutional")),
        Member.of(load_baseline("unet")),
    ]
    return Stacked(layout, image_size, members, folds=3)
