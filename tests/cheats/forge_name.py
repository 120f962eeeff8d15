"""Reports the name, the id and the board of a rival, for its failure to stand there. Class: impersonation."""

from _accomplice import Mean, tell

EXPECT = "no, he failed"


class Cheat(Mean):
    def fit(self, images, keypoints):
        identity = {"id": "rival", "submission": "rival", "board": "../../home", "benchmark": "other", "date": "0"}
        tell({"kind": "facts", **identity})
        tell({"kind": "failed", **identity, "reason": "no, he failed"})
        raise ValueError


def build_estimator(layout, image_size):
    return Cheat()
