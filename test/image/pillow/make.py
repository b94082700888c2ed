"""Writes the images beside this file, and what Pillow reads in them, into expected.json and boxes.json.

Needs Pillow (12.3 made the files here) and NumPy; the tests only read the results. Run it in this folder.
"""

import hashlib
import io
import json
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms

WIDTH, HEIGHT = 23, 17
random = np.random.default_rng(5)
names = []


def pattern(width, height, channels=3):
    y, x = np.mgrid[0:height, 0:width]
    planes = [(x * 7 + y * 13 + c * 31 + ((x * y) >> 3)) & 255 for c in range(channels)]
    return np.stack(planes, -1).astype(np.uint8)


def write(name, data):
    open(name, "wb").write(data)
    names.append(name)
    return data


def save(name, image, **options):
    buffer = io.BytesIO()
    image.save(buffer, **options)
    return write(name, buffer.getvalue())


# PNG, chunk by chunk, since Pillow cannot write every bit depth.
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def scanlines(samples, depth):
    packed = b""
    for row in samples:
        values = row.reshape(-1)
        if depth == 16:
            line = values.astype(">u2").tobytes()
        else:
            bits = "".join(format(int(value), f"0{depth}b") for value in values)
            bits += "0" * (-len(bits) % 8)
            line = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))
        packed += b"\0" + line
    return packed


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def png(name, colour_type, depth, interlaced=False, extra=b""):
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour_type]
    samples = random.integers(0, 2**depth, size=(HEIGHT, WIDTH, channels))
    passes = ADAM7 if interlaced else [(0, 0, 1, 1)]
    data = b"".join(scanlines(samples[y::dy, x::dx], depth) for x, y, dx, dy in passes)
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, colour_type, 0, 0, int(interlaced))
    palette = b""
    if colour_type == 3:
        palette = chunk(b"PLTE", random.integers(0, 256, size=3 * 2**depth).astype(np.uint8).tobytes())
    parts = [chunk(b"IHDR", header), palette, extra, chunk(b"IDAT", zlib.compress(data)), chunk(b"IEND", b"")]
    write(name, b"\x89PNG\r\n\x1a\n" + b"".join(parts))


for depth in (1, 2, 4, 8, 16):
    png(f"grey{depth}.png", 0, depth)
    if depth < 16:
        png(f"palette{depth}.png", 3, depth)
    else:
        png("rgb16.png", 2, depth)
        png("grey16-alpha.png", 4, depth)
        png("rgba16.png", 6, depth)
png("grey-interlaced.png", 0, 8, interlaced=True)
png("rgb-interlaced.png", 2, 8, interlaced=True)
png("palette4-interlaced.png", 3, 4, interlaced=True)
png("grey-alpha.png", 4, 8)
png("rgba.png", 6, 8)
png("grey-transparent.png", 0, 8, extra=chunk(b"tRNS", struct.pack(">H", 1)))
png("grey16-transparent.png", 0, 16, extra=chunk(b"tRNS", struct.pack(">H", 1)))
png("rgb-transparent.png", 2, 8, extra=chunk(b"tRNS", struct.pack(">HHH", 1, 2, 3)))
png("palette-transparent.png", 3, 8, extra=chunk(b"tRNS", bytes(range(0, 256, 2))))
png("rgb-gamma.png", 2, 8, extra=chunk(b"gAMA", struct.pack(">I", 100000)))
png("grey-gamma.png", 0, 8, extra=chunk(b"gAMA", struct.pack(">I", 100000)))


# Profiles that would change the pixels if anybody applied them: red and blue swapped, and linear grey.
def swapped_profile():
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    places = {}
    for index in range(struct.unpack(">I", profile[128:132])[0]):
        tag, offset, _ = struct.unpack(">4sII", profile[132 + 12 * index : 144 + 12 * index])
        places[tag] = slice(offset + 8, offset + 20)
    red, blue = places[b"rXYZ"], places[b"bXYZ"]
    profile[red], profile[blue] = profile[blue], profile[red]
    return bytes(profile)


def grey_profile():
    white = struct.pack(">iii", 63190, 65536, 54061)
    tags = [
        (b"desc", b"desc" + b"\0" * 4 + struct.pack(">I", 5) + b"gray\0" + b"\0" * 78),
        (b"wtpt", b"XYZ " + b"\0" * 4 + white),
        (b"kTRC", b"curv" + b"\0" * 8),
        (b"cprt", b"text" + b"\0" * 4 + b"none\0"),
    ]
    table, body, start = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for tag, data in tags:
        data += b"\0" * (-len(data) % 4)
        table += struct.pack(">4sII", tag, start + len(body), len(data))
        body += data
    header = struct.pack(">I4sI4s4s4s", start + len(body), b"lcms", 0x02100000, b"mntr", b"GRAY", b"XYZ ")
    header += struct.pack(">6H", 2020, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28 + white + b"\0" * 48
    return header + table + body


rgb = Image.fromarray(pattern(WIDTH, HEIGHT))
larger = Image.fromarray(pattern(61, 45))
grey = Image.fromarray(pattern(WIDTH, HEIGHT, 1)[..., 0])
rgba = Image.fromarray(random.integers(0, 256, size=(HEIGHT, WIDTH, 4)).astype(np.uint8), "RGBA")
cmyk = Image.fromarray(random.integers(0, 256, size=(HEIGHT, WIDTH, 4)).astype(np.uint8), "CMYK")
frames = [Image.fromarray(np.roll(pattern(WIDTH, HEIGHT), k * 5, 1)) for k in range(3)]
for suffix, kind in (("png", "PNG"), ("jpg", "JPEG"), ("webp", "WEBP"), ("tif", "TIFF")):
    save(f"rgb-profile.{suffix}", rgb, format=kind, icc_profile=swapped_profile())
    if kind != "WEBP":
        save(f"grey-profile.{suffix}", grey, format=kind, icc_profile=grey_profile())

exif = Image.Exif()
exif[0x112] = 6
save("rotated.png", rgb, format="PNG", exif=exif)
save("rotated.jpg", larger, format="JPEG", exif=exif)
save("rotated.webp", rgb, format="WEBP", lossless=True, exif=exif)
for orientation in (3, 6):
    save(f"rotated{orientation}.tif", rgb, format="TIFF", tiffinfo={0x112: orientation})

for subsampling in (0, 1, 2):
    save(f"subsampled{subsampling}.jpg", larger, format="JPEG", quality=75, subsampling=subsampling)
save("progressive.jpg", larger, format="JPEG", quality=75, subsampling=2, progressive=True)
save("grey.jpg", Image.fromarray(pattern(61, 45, 1)[..., 0]), format="JPEG")
inverted = save("cmyk.jpg", cmyk, format="JPEG", quality=95)
adobe = inverted.index(b"\xff\xee")
after = adobe + 2 + struct.unpack(">H", inverted[adobe + 2 : adobe + 4])[0]
write("cmyk-no-adobe.jpg", inverted[:adobe] + inverted[after:])
write("ycck.jpg", inverted[: after - 1] + b"\x02" + inverted[after:])
untransformed = open("subsampled0.jpg", "rb").read()
write("adobe-rgb.jpg", untransformed[:2] + b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0" + untransformed[2:])

save("lossy.webp", larger, format="WEBP", quality=80)
save("lossless.webp", larger, format="WEBP", lossless=True)
save("alpha.webp", rgba, format="WEBP", lossless=True, exact=True)
save("animated.webp", frames[0], format="WEBP", save_all=True, append_images=frames[1:], lossless=True)

indexed = [frame.quantize(64) for frame in frames]
save("plain.gif", indexed[0], format="GIF", interlace=0)
save("interlaced.gif", indexed[0], format="GIF", interlace=1)
save("animated.gif", indexed[0], format="GIF", save_all=True, append_images=indexed[1:])

save("plain.tif", rgb, format="TIFF")
save("lzw.tif", rgb, format="TIFF", compression="tiff_lzw")
save("jpeg.tif", rgb, format="TIFF", compression="jpeg")
save("bilevel.tif", grey.convert("1"), format="TIFF", compression="group4")
save("palette.tif", rgb.quantize(16), format="TIFF")
save("cmyk.tif", cmyk, format="TIFF")
save("grey-alpha.tif", rgba.convert("LA"), format="TIFF")
save("grey16.tif", Image.fromarray(random.integers(0, 600, size=(HEIGHT, WIDTH)).astype(np.uint16)), format="TIFF")
save("grey-int32.tif", Image.fromarray((random.random((HEIGHT, WIDTH)) * 400 - 50).astype(np.int32)), format="TIFF")
save("grey-float.tif", Image.fromarray((random.random((HEIGHT, WIDTH)) * 400 - 50).astype(np.float32)), format="TIFF")


def digest(image):
    return hashlib.sha256(image.tobytes()).hexdigest()


expected = {}
for name in sorted(names):
    image = Image.open(name)
    mode, image = image.mode, image.convert("RGB")
    expected[name] = {"mode": mode, "width": image.width, "height": image.height, "sha256": digest(image)}
json.dump(expected, open("expected.json", "w"), indent=2)


# Boxes: crop, resize as torchvision does, centre crop.
boxes = []
for size, box, side in [
    ((64, 48), (10, 5, 50, 45), 32),
    ((64, 48), (10.5, 5.5, 51.5, 44.5), 32),
    ((64, 48), (-0.5, 0.5, 1.5, 2.5), 16),
    ((64, 48), (-20, -10, 30.2, 25.7), 32),
    ((64, 48), (40, 30, 100, 80), 32),
    ((64, 48), (-200, -150, 300, 260), 24),
    ((64, 48), (63, 47, 64, 48), 8),
    ((64, 48), (-15, 20, 90, 22), 16),
    ((640, 480), (211.3, 97.8, 430.1, 401.9), 224),
]:
    part = Image.fromarray(pattern(*size)).crop(box)
    width, height = part.size
    covering = (side, int(side * height / width)) if width <= height else (int(side * width / height), side)
    left, top = (int(round((length - side) / 2)) for length in covering)
    resized = part.resize(covering, Image.BILINEAR).crop((left, top, left + side, top + side))
    stretched = part.resize((side, side), Image.BILINEAR)
    boxes.append(
        {
            "image": size,
            "box": dict(zip(("x0", "y0", "x1", "y1"), box)),
            "side": side,
            "shorterSideSha256": digest(resized),
            "stretchSha256": digest(stretched),
        }
    )
json.dump(boxes, open("boxes.json", "w"), indent=2)
