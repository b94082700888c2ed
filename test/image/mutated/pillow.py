"""Says of each file that it is sent whether Pillow reads it. Out: a line with Pillow's version, then one for each file,
"reads" or "refuses". In: files as a length (4 bytes, big-endian) and bytes, until the end.
"""

import io
import struct
import sys
import warnings

import PIL
from PIL import Image

warnings.simplefilter("ignore")
print(PIL.__version__, flush=True)
files = sys.stdin.buffer
while head := files.read(4):
    data = files.read(struct.unpack(">I", head)[0])
    try:
        # As the origin's scripts open an image.
        Image.open(io.BytesIO(data)).convert("RGB")
        print("reads", flush=True)
    except Exception:
        print("refuses", flush=True)
