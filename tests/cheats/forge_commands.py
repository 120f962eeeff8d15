"""Says words that a CI runner obeys and a terminal acts on, wherever the grader may repeat them.

GitHub's runner takes `::error::` and `::set-output` at the start of a printed line for commands.
"""

from _accomplice import Mean, tell

EXPECT = "obey"

COMMANDS = "\n::error::obey\r\n::add-mask::e\n##[group]x\x1b[2J\x1b]0;owned\x07\x9b2J"


class Cheat(Mean):
    def fit(self, images, keypoints):
        tell({"kind": "facts", "device": COMMANDS, "recipe": {COMMANDS: COMMANDS}, "training": {"device": COMMANDS}})
        tell({"kind": "progress", COMMANDS: 1})
        print(COMMANDS)
        raise ValueError(COMMANDS)


def build_estimator(layout, image_size):
    return Cheat()
