"""Walks to the channel on which the worker reports, and reports a verdict of its own."""

from _accomplice import Mean, tell

EXPECT = "graded"


class Cheat(Mean):
    def predict(self, images):
        scores = {"mean_pixel_error": {"value": 0.0, "low": 0.0, "high": 0.0}}
        for kind in ("facts", "scores", "entry", "verdict", "held", "progress", "stage"):
            tell({"kind": kind, "status": "graded", "scores": scores, "score": 0.0, "band": "outstanding"})
            tell({"kind": kind, "isolation": "bwrap", "held": "everything", "reason": None, "seconds": {"total": 0}})
            tell({"kind": kind, "id": "rival", "submission": "rival", "fingerprints": {"data": "x"}, "predictions": []})
        return super().predict(images)


def build_estimator(layout, image_size):
    return Cheat()
