"""Makes the images that the JDK cannot write. Needs Pillow.

Each picture is 40 x 30: red left half, blue right half, unless its name says otherwise. A PNG beside a picture of
another format has what libwebp decodes it to.
"""

import io
import math
from pathlib import Path

from PIL import Image

here = Path(__file__).parent
picture = Image.new("RGB", (40, 30), (255, 0, 0))
picture.paste((0, 0, 255), (20, 0, 40, 30))

picture.save(here / "lossless.webp", lossless=True)
picture.save(here / "lossy.webp", quality=90)
picture.convert("CMYK").save(here / "cmyk.jpg", quality=95, subsampling=0)
picture.save(here / "progressive.jpg", quality=95, progressive=True, subsampling=0)
picture.save(here / "restarts.jpg", quality=95, restart_marker_rows=1)

half = picture.convert("RGBA")
half.putalpha(Image.linear_gradient("L").resize((40, 30)).point(lambda v: 0 if v < 128 else 255))
half.save(here / "alpha.webp", lossless=True)  # upper half transparent

green = Image.new("RGB", (40, 30), (0, 255, 0))
picture.save(here / "animated.gif", save_all=True, append_images=[green], duration=100)
picture.save(here / "animated.webp", save_all=True, append_images=[green], duration=100, lossless=True)

# Stored lying on its side, upright when EXIF orientation 6 (turn 90 degrees clockwise) is applied.
exif = Image.Exif()
exif[0x0112] = 6
stored = picture.transpose(Image.Transpose.ROTATE_90)
stored.save(here / "orientation6.jpg", quality=95, subsampling=0, exif=exif)
stored.save(here / "orientation6.webp", lossless=True, exif=exif)
stored.save(here / "orientation6.png", exif=exif)


def on_white(name):
    image = Image.open(here / name).convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def beside(name):
    on_white(name).save((here / name).with_suffix(".png"), optimize=True)


def sky_above_a_hill(x, y):
    if y > 124 + 18 * math.sin(x / 37):
        return 50 + (y - 100) // 2, 120 - (y - 100) // 2, 40
    cloud = 10 * math.sin(x / 29 + y / 17)
    return round(90 + 0.9 * y + cloud), round(150 + 0.5 * y + cloud), round(235 - 0.1 * y)


# Soft shades: what goes wrong in one block goes on to all behind it.
sky = Image.new("RGB", (300, 200))
sky.putdata([sky_above_a_hill(x, y) for y in range(200) for x in range(300)])
sky.save(here / "sky.webp", quality=40)
beside("sky.webp")


def chunk(kind, data):
    return kind + len(data).to_bytes(4, "little") + data + bytes(len(data) % 2)


def alpha(x, y):
    """Noise: every neighbour differs."""
    return (x * x * 7 + y * y * 11 + x * y * 5) % 251


def predicted(filter, x, y):
    if filter == 0 or x == y == 0:
        return 0
    if x == 0 or (y > 0 and filter == 2):
        return alpha(x, y - 1)
    if y == 0 or filter == 1:
        return alpha(x - 1, y)
    return max(0, min(255, alpha(x - 1, y) + alpha(x, y - 1) - alpha(x - 1, y - 1)))


# 39 x 29 pixels of one colour under an alpha channel that is not compressed, which libwebp reads and does not write.
frame = io.BytesIO()
Image.new("RGB", (39, 29), (0, 128, 255)).save(frame, "WEBP", quality=90)
for filter, name in enumerate(["none", "horizontal", "vertical", "gradient"]):
    channel = bytes((alpha(x, y) - predicted(filter, x, y)) % 256 for y in range(29) for x in range(39))
    chunks = b"WEBP" + chunk(b"VP8X", bytes([16, 0, 0, 0, 38, 0, 0, 28, 0, 0]))
    chunks += chunk(b"ALPH", bytes([filter << 2]) + channel) + frame.getvalue()[12:]
    (here / f"raw_alpha_{name}.webp").write_bytes(chunk(b"RIFF", chunks))
    assert on_white(f"raw_alpha_{name}.webp").tobytes() == on_white("raw_alpha_none.webp").tobytes()
on_white("raw_alpha_none.webp").save(here / "raw_alpha.png", optimize=True)
