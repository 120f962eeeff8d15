"""Surroundings: what lies behind the head and what comes before it."""

from __future__ import annotations

import cv2
import numpy as np

from harness.datasets.rendered.camera import Camera
from harness.datasets.rendered.features import SIDES
from harness.datasets.rendered.raster import DISC, Field, Points, blur, coverage, fixed
from harness.datasets.rendered.shape import Head
from harness.datasets.rendered.stream import Stream


def backdrop(camera: Camera, stream: Stream) -> Field:
    """A wall or a blurred room, and the shoulders, float32 (H, W)."""
    height, width = camera.size
    picture = stream.uniform(0.0, 0.75) ** 2 + stream.uniform(0.0, 0.2) * stream.clouds(camera.size, 3, 3)
    for _ in range(int(stream.uniform(0.0, 7.0)) if stream.chance(0.7) else 0):
        corner = np.array([stream.uniform(-0.3, 1.0) * width, stream.uniform(-0.3, 1.0) * height])
        span = np.array([stream.uniform(0.03, 0.7) * width, stream.uniform(0.03, 0.9) * height])
        outline = 0.5 * DISC if stream.chance(0.3) else np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
        _fill(picture, corner + outline * span, stream.uniform(0.0, 0.9) ** 2)
    if stream.chance(0.7):
        picture = blur(picture, stream.uniform(0.5, 5.0) * width / 144)
    picture += 0.025 * stream.uniform() * stream.clouds(camera.size, 40, 40)
    _shoulders(picture, camera, stream)
    return np.asarray(np.clip(picture, 0.0, 1.0), np.float32)


def _shoulders(picture: Field, camera: Camera, stream: Stream) -> None:
    """A body under the head: it turns and tilts less than the head does."""
    neck = camera.project(np.array([[0.0, 2.0, 0.0]]))[0]
    slope, top = stream.uniform(0.2, 0.55), stream.uniform(0.0, 0.35)
    tone = stream.uniform(0.01, 0.12) if stream.chance(0.65) else stream.uniform(0.2, 0.8)
    half = np.array([[0.0, top], [0.85, top], [2.4, top + 1.6 * slope], [5.0, 3.5], [0.0, 9.0]])
    for side in SIDES:
        _fill(picture, half * (side * camera.focal, camera.focal) + neck, tone)
    if stream.chance(0.55):
        collar = np.array([[0.8, top - 0.15], [1.05, top + 0.1], [0.1, top + 1.3], [0.0, top + 1.0]])
        white = stream.uniform(0.3, 0.9)
        for side in SIDES:
            _fill(picture, collar * (side * camera.focal, camera.focal) + neck, white)


def glasses(picture: Field, depth: Field, head: Head, camera: Camera, stream: Stream) -> None:
    """Draw spectacles or sunglasses (in place): a curved front before the eyes, and side pieces back to the ears."""
    front = float(head.on_surface(np.array([[0.0, -0.02]]))[0, 2]) + stream.uniform(0.02, 0.1)
    wide, high, low = stream.uniform(0.34, 0.46), stream.uniform(0.22, 0.38), stream.uniform(-0.06, 0.07)
    power = 2 / stream.uniform(2.0, 4.5)
    rounded = np.sign(DISC) * np.abs(DISC) ** power  # a superellipse, from round to nearly a rectangle
    dark, tint = stream.chance(0.3), stream.uniform()
    rim = stream.uniform(0.0, 0.15) if dark or stream.chance(0.6) else stream.uniform(0.15, 0.8)
    thick = max(1, round(camera.focal * (stream.uniform(0.03, 0.09) if stream.chance(0.5) else 0.02)))
    shine = stream.uniform(0.3, 0.9) if stream.chance(0.3) else 0.0
    spot = np.array([stream.bell(0.0, 0.12), stream.bell(0.0, 0.1)]) + DISC * (1.0, 0.5) * stream.uniform(0.04, 0.15)

    def place(flat: Points) -> Points:
        return np.column_stack([flat, front - 0.18 * flat[:, 0] ** 2])

    for side in SIDES:
        outline = camera.project(place(rounded * (wide, high) + (side * 0.52, low)))
        glass = coverage(picture.shape, outline)
        if dark:
            picture += glass * (0.75 + 0.25 * tint) * (0.02 + 0.1 * tint - picture)
        else:
            picture += glass * 0.1 * tint * (1 - picture)
        if shine:
            glare = coverage(picture.shape, outline.mean(axis=0) + spot * camera.focal)
            picture += np.minimum(glass, glare) * shine * (1 - picture)
        cv2.polylines(picture, [fixed(outline)], True, rim, thick, cv2.LINE_AA, 4)
        hinge, ear = place(np.array([[side * (0.52 + wide), low - 0.1]]))[0], np.array([side * 1.24, 0.0, 0.1])
        arm = hinge + np.linspace(0.0, 1.0, 24)[:, None] * (ear - hinge)
        _draw_visible(picture, depth, arm, camera, rim, thick)
    bridge = np.array([[-0.52 + wide, low - 0.05], [0.0, low - 0.1], [0.52 - wide, low - 0.05]])
    cv2.polylines(picture, [fixed(camera.project(place(bridge)))], False, rim, thick, cv2.LINE_AA, 4)


def _draw_visible(picture: Field, depth: Field, path: Points, camera: Camera, tone: float, thick: int) -> None:
    """Draw the parts of a path (N, 3) that the head does not hide."""
    on_picture = camera.project(path)
    x, y = np.rint(on_picture).astype(int).T
    height, width = picture.shape
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    seen = ~inside
    seen[inside] = depth[y[inside], x[inside]] < camera.depth(path)[inside] + 0.12
    for k in np.flatnonzero(seen[:-1] & seen[1:]):
        cv2.polylines(picture, [fixed(on_picture[k : k + 2])], False, tone, thick, cv2.LINE_AA, 4)


def occlude(picture: Field, camera: Camera, skin: float, stream: Stream) -> None:
    """Draw (in place) a microphone, a hand or a caption before the face."""
    height, width = picture.shape
    unit, kind = camera.focal, stream.uniform()
    x, y = stream.uniform(0.0, 1.0) * width, stream.uniform(0.78, 1.1) * height
    if kind < 0.4:
        size, tone = unit * stream.uniform(0.15, 0.35), stream.uniform(0.0, 0.3)
        stick = np.array([[x, y], [x + stream.bell(0.0, 20.0), y + height]])
        cv2.polylines(picture, [fixed(stick)], False, tone, max(1, round(size)), cv2.LINE_AA, 4)
        _fill(picture, DISC * (size, 1.4 * size) + (x, y), tone)
    elif kind < 0.8:
        lean, palm = stream.bell(0.0, 0.5), np.array([x, y])
        for k in (-1.5, -0.5, 0.5, 1.5):
            turn, length = lean + 0.18 * k, stream.uniform(0.6, 0.95)
            finger = np.array([[0.26 * k, 0.0], [np.sin(turn) * length, -np.cos(turn) * length]]) * unit + palm
            for thick, light in ((0.27, 0.6), (0.21, 1.0)):
                wide = max(1, round(thick * unit))
                cv2.polylines(picture, [fixed(finger)], False, skin * light, wide, cv2.LINE_AA, 4)
        _fill(picture, DISC * 0.48 * unit + palm, skin * 0.95)
    else:
        base, letter = round(stream.uniform(0.85, 0.95) * height), round(0.07 * width)
        for left in range(round(stream.uniform(-0.3, 0.5) * width), width, letter + 3):
            stem, slant = left + round(letter * stream.uniform()), round(letter * stream.uniform())
            cv2.line(picture, (stem, base), (stem, base + letter), 0.95, 2, cv2.LINE_AA)
            cv2.line(picture, (left, base), (left + letter, base + slant), 0.95, 2, cv2.LINE_AA)


def _fill(picture: Field, outline: Points, tone: float) -> None:
    cv2.fillPoly(picture, [fixed(outline)], tone, cv2.LINE_AA, 4)
