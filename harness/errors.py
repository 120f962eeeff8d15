"""Everything that can go wrong, as one tree. The exit code of an error says whose fault it is.

    HarnessError                  exit 3  the harness's own fault
    ├── CardError                 exit 3  a benchmark card is not valid
    ├── DataError                 exit 3  a data set is missing, damaged or not what its card says
    ├── LeaderboardError          exit 3  entries or a board cannot be read or written
    ├── MachineError              exit 3  this machine lacks what was asked for
    ├── UsageError                exit 3  the command line does not fit together
    └── SubmissionError           exit 2  the submission's fault
        ├── LoadError             exit 2  it cannot be found, read or imported
        ├── ContractError         exit 2  it does not keep the contract
        │   └── RecipeError       exit 2  its recipe has an unknown field or an impossible value
        ├── TrainingError         exit 2  its training failed or diverged
        ├── PredictionError       exit 2  what it predicted is not one finite point per keypoint and image
        └── LimitError            exit 2  it went past its time, memory or output

A message is a sentence that names the place (file, row, key) and the remedy.
"""

from __future__ import annotations


class HarnessError(Exception):
    """Base of every error that a user may see; its own instances are faults of the harness."""

    exit_code = 3


class CardError(HarnessError):
    """A benchmark card is not valid."""


class DataError(HarnessError):
    """A data set is missing, damaged or not what its card says."""


class LeaderboardError(HarnessError):
    """Entries or a board cannot be read or written."""


class MachineError(HarnessError):
    """This machine lacks what was asked for."""


class UsageError(HarnessError):
    """The command line does not fit together."""


class SubmissionError(HarnessError):
    """The submission's fault; it becomes a failed entry with the message as its reason."""

    exit_code = 2


class LoadError(SubmissionError):
    """The submission cannot be found, read or imported."""


class ContractError(SubmissionError):
    """The submission does not keep the contract."""


class RecipeError(ContractError):
    """The recipe has an unknown field or an impossible value."""


class TrainingError(SubmissionError):
    """The submission's training failed or diverged."""


class PredictionError(SubmissionError):
    """The predictions are not one finite point per keypoint and image."""


class LimitError(SubmissionError):
    """The submission went past its time, memory or output."""
