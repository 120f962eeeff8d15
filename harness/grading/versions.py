"""What decides a result besides the harness's own code."""

from __future__ import annotations

from importlib.metadata import version

_LIBRARIES = ("torch", "torchvision", "numpy", "timm", "albumentations", "opencv-python-headless", "scikit-learn")


def versions() -> dict[str, str]:
    """Name -> version of each."""
    import platform

    return {
        "harness": version("facial-keypoint-harness"),
        "python": platform.python_version(),
        **{library: version(library) for library in _LIBRARIES},
        "platform": platform.platform(),
    }
