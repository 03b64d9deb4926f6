"""Small valid files made on the spot: pictures, texts, a one-page PDF."""

from __future__ import annotations

import random
import struct
import zlib
from functools import lru_cache

COLOURS = ((43, 125, 233), (60, 154, 95), (217, 130, 43), (192, 57, 43))


def sample(dice: random.Random) -> tuple[str, str, bytes]:
    """(file name, content type, bytes); few different contents, so that they are stored once."""
    which = dice.random()
    number = int(dice.random() * len(COLOURS))
    if which < 0.5:
        return f"screenshot-{1 + number}.png", "image/png", png(number)
    if which < 0.8:
        return f"eventlog-{1 + number}.txt", "text/plain", log_text(number)
    return f"quote-{1 + number}.pdf", "application/pdf", pdf(number)


@lru_cache
def png(number: int) -> bytes:
    """A 96 x 64 picture of a window with a coloured bar."""
    red, green, blue = COLOURS[number]
    rows = []
    for y in range(64):
        bar = bytes((red, green, blue)) * 96
        line = bytes((245, 246, 248)) * 8 + bytes((205, 210, 216)) * (80 - (y * 7 + number * 5) % 50)
        line += bytes((245, 246, 248)) * (96 - len(line) // 3)
        rows.append(b"\0" + (bar if y < 10 else line if y % 8 == 4 else bytes((245, 246, 248)) * 96))
    header = struct.pack(">IIBBBBB", 96, 64, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@lru_cache
def log_text(number: int) -> bytes:
    lines = (
        f"{hour:02d}:{number * 7 + 3:02d}:11 service[{1200 + hour}] retry {hour}/12, code 0x{hour * 911 + number:06x}"
        for hour in range(12)
    )
    return "\n".join(lines).encode() + b"\n"


@lru_cache
def pdf(number: int) -> bytes:
    stream = f"BT /F1 18 Tf 72 720 Td (Quote {2040 + number}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]  # fmt: skip
    out, offsets = b"%PDF-1.4\n", []
    for index, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (index, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    tail = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(out))
    return out + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + tail
