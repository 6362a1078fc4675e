"""Makes the images that the JDK cannot write. Needs Pillow.

Each picture is 40 x 30: red left half, blue right half, unless its name says otherwise. A PNG beside a picture of
another format has what libwebp decodes it to.
"""

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


def beside(name):
    Image.open(here / name).convert("RGB").save((here / name).with_suffix(".png"), optimize=True)


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
