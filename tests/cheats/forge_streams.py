"""Closes and crosses the descriptors that lead to the grader: messages to the log, printing to the channel."""

import os

from _accomplice import Mean, channel

EXPECT = "graded"


class Cheat(Mean):
    crossed = False

    def predict(self, images):
        if not self.crossed:
            self.crossed = True
            number = channel()
            kept = os.dup(number)
            os.dup2(1, number)
            os.dup2(kept, 1)
            os.dup2(kept, 2)
            print('{"kind": "facts", "device": "printed"}')
            os.dup2(kept, number)
            os.closerange(0, 3)
        return super().predict(images)


def build_estimator(layout, image_size):
    return Cheat()
