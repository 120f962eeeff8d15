"""Specialists: one network for the eyes, one for the brows, one for the nose, one for the mouth.

All start as copies of one generalist, the fully convolutional network, and are trained further on the keypoints of
their own group alone, each with every row that has one of them: most of Kaggle's rows have four keypoints, and are used
for the eyes, the nose and the mouth. In the course, specialists were the last trick. The groups are the layout's.
"""

from harness import Member, Specialists, load_baseline

generalist = load_baseline("fully_convolutional")
recipe = generalist.recipe.with_changes(epochs=12, lr=2e-3)


def build_estimator(layout, image_size):
    return Specialists(layout, image_size, Member.of(generalist), recipe)
