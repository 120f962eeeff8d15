"""Blames the machine for its failure, so that no failed entry is kept: by message and by exception."""

from _accomplice import Mean, tell

from harness.errors import MachineError

EXPECT = "the disk is full"


class Cheat(Mean):
    def fit(self, images, keypoints):
        tell({"refused": "a worker could not be locked in"})
        tell({"kind": "stage", "stage": "starting"})
        tell({"kind": "failed", "reason": "the disk is full"})
        raise MachineError("the disk is full")


def build_estimator(layout, image_size):
    return Cheat()
