"""The strongest baseline: two networks, each trained four times, and a regression that corrects their typical errors.

A network makes similar errors on all subjects that it has not seen, but not on those that it was trained on. So both
are trained three times, each time without another third of the subjects, and a ridge regression learns their errors on
the subjects that were left out. These are subtracted. Last, both are trained on all subjects. The mean of eight
networks also averages out what each has learnt by heart.
"""

from harness import Member, Stacked, load_baseline


def build_estimator(layout, image_size):
    members = [
        Member.of(load_baseline("pretrained"), epochs=50),
        Member.of(load_baseline("feature_pyramid"), epochs=30),
    ]
    return Stacked(layout, image_size, members, folds=3)
