"""Writes the whole images that are mutated, into the folder whole/, from a picture of the tests.

Needs Pillow (12.3 made the files here); the tests only read the results. Run it in this folder. verdicts.json is then
made anew: npm run test:mutated -- --freeze --python PYTHON
"""

import glob
import struct
import zlib

from PIL import Image

photograph = Image.open(glob.glob("../../images/BIWI00000001*.png")[0]).convert("RGB")
larger = photograph.resize((208, 156), Image.LANCZOS)
smaller = photograph.resize((64, 48), Image.LANCZOS)


def save(name, image, **options):
    image.save(f"whole/{name}", **options)


save("baseline.jpg", larger, quality=85)
save("restarts.jpg", larger, quality=85, restart_marker_blocks=8)
save("progressive.jpg", smaller, quality=85, progressive=True)
save("grey.jpg", smaller.convert("L"), quality=85)
save("cmyk.jpg", smaller.convert("CMYK"), quality=85)

save("colour.png", smaller)
save("palette.png", smaller.quantize(32))
save("grey.png", smaller.convert("L"))
save("alpha.png", smaller.convert("RGBA"), pnginfo=None)

# What cameras and editors put around the pixels, and pixel data in several pieces.
png = open("whole/colour.png", "rb").read()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


at = png.index(b"IDAT") - 4
length = struct.unpack(">I", png[at : at + 4])[0]
data = png[at + 8 : at + 8 + length]
before = chunk(b"gAMA", struct.pack(">I", 45455)) + chunk(b"pHYs", struct.pack(">IIB", 2835, 2835, 1))
before += chunk(b"tEXt", b"Software\0a camera") + chunk(b"prVt", b"of its own")
pieces = b"".join(chunk(b"IDAT", data[i : i + 2000]) for i in range(0, length, 2000))
after = chunk(b"tIME", struct.pack(">HBBBBB", 2020, 2, 3, 4, 5, 6)) + chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"x" * 40))
open("whole/chunks.png", "wb").write(png[:at] + before + pieces + after + png[at + 12 + length :])

save("lossy.webp", larger, quality=80)
save("lossless.webp", smaller, lossless=True)
save("alpha.webp", Image.merge("RGBA", [*smaller.split(), smaller.convert("L")]), quality=80)
save("animated.webp", smaller, save_all=True, append_images=[smaller.rotate(9)], quality=70)

indexed = smaller.quantize(64)
save("plain.gif", indexed, interlace=0)
save("interlaced.gif", indexed, interlace=1)
save("animated.gif", indexed, save_all=True, append_images=[smaller.rotate(9).quantize(64)])

save("plain.tif", smaller)
save("lzw.tif", smaller, compression="tiff_lzw")
save("deflate.tif", smaller, compression="tiff_adobe_deflate", tiffinfo={317: 2, 278: 16})
save("packbits.tif", indexed, compression="packbits")
save("jpeg.tif", smaller, compression="jpeg")
save("bilevel.tif", smaller.convert("1"), compression="group4")
save("grey16.tif", smaller.convert("I;16"))

save("plain.avif", smaller, quality=60)
save("alpha.avif", Image.merge("RGBA", [*smaller.split(), smaller.convert("L")]), quality=60, subsampling="4:4:4")
save("animated.avif", smaller, save_all=True, append_images=[smaller.rotate(9)], quality=50)
