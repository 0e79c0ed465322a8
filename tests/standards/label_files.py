"""Files of all four media, written byte by byte, with a text under a key of their metadata or without one."""

import struct
import zlib

SOUND = '{"Label": "1", "ContentProducer": "001191330100", "ProduceID": "a-7"}'
XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description TC260:AIGC="{}"/></x:xmpmeta>'


def xmp(text):
    return XMP.format(text.replace('"', "&quot;")).encode()


def png(*chunks):
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*one) for one in [(b"IHDR", bytes(13)), *chunks, (b"IEND", b"")])


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_text(text):
    return png((b"tEXt", b"AIGC\x00" + text.encode()))


def png_packed(text):
    return png((b"zTXt", b"AIGC\x00\x00" + zlib.compress(text.encode())))


def png_wide(text):
    return png((b"iTXt", b"AIGC\x00\x01\x00zh\x00\x00" + zlib.compress(text.encode())))


def png_xmp(text):
    return png((b"iTXt", b"XML:com.adobe.xmp\x00\x00\x00\x00\x00" + xmp(text)))


def exif(text, order="<", tag=0x9286, head=b"ASCII\x00\x00\x00"):
    """Return a TIFF block: a first directory that leads to the EXIF one, which holds one comment."""
    value = head + text.encode("latin-1")
    mark = b"II*\x00" if order == "<" else b"MM\x00*"
    first = struct.pack(order + "HHHIII", 1, 0x8769, 4, 1, 26, 0)
    second = struct.pack(order + "HHHIII", 1, tag, 7, len(value), 44, 0)
    return mark + struct.pack(order + "I", 8) + first + second + value


def jpeg(*segments):
    body = b"".join(b"\xff" + kind + struct.pack(">H", len(data) + 2) + data for kind, data in segments)
    return b"\xff\xd8" + body + b"\xff\xda\x00\x02 picture \xff\xd9"


def jpeg_exif(text):
    return jpeg((b"\xe0", b"JFIF\x00"), (b"\xe1", b"Exif\x00\x00" + exif(f'{{"AIGC": {text}}}')))


def jpeg_wide(text):
    value = f'{{"AIGC": {text}}}'.encode("utf-16-le").decode("latin-1")
    return jpeg((b"\xe1", b"Exif\x00\x00" + exif(value, ">", head=b"UNICODE\x00")))


def jpeg_xmp(text):
    return jpeg((b"\xe1", b"http://ns.adobe.com/xap/1.0/\x00" + xmp(text)))


def jpeg_comment(text):
    return jpeg((b"\xfe", f'{{"AIGC": {text}}}'.encode()))


def riff(form, *chunks):
    body = b"".join(kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2) for kind, data in chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + form + body


def webp_xmp(text):
    return riff(b"WEBP", (b"VP8X", bytes(10)), (b"XMP ", xmp(text)))


def webp_exif(text):
    return riff(b"WEBP", (b"EXIF", exif(f'{{"AIGC": {text}}}', ">")))


def wav(*chunks):
    return riff(b"WAVE", (b"fmt ", bytes(16)), (b"data", bytes(401)), *chunks)


def wav_info(text):
    comment = f'{{"AIGC": {text}}}'.encode()
    inside = b"INFOICMT" + struct.pack("<I", len(comment)) + comment + bytes(len(comment) % 2)
    return wav((b"LIST", inside))


def wav_id3(text):
    return wav((b"id3 ", id3(text)))


def id3(text, version=4):
    data = b"\x03AIGC\x00" + text.encode()
    size = safe(len(data)) if version == 4 else struct.pack(">I", len(data))
    frame = b"TXXX" + size + b"\x00\x00" + data
    return b"ID3" + bytes([version, 0, 0]) + safe(len(frame) + 20) + frame + bytes(20)


def safe(number):
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def mp3(text):
    return id3(text, 3) + b"\xff\xfb\x90\x00" + bytes(400)


def mp3_wide(text):
    data = b"\x01" + "AIGC".encode("utf-16") + b"\x00\x00" + text.encode("utf-16")
    frame = b"TXXX" + struct.pack(">I", len(data)) + b"\x00\x00" + data
    return b"ID3\x03\x00\x00" + safe(len(frame)) + frame + b"\xff\xfb\x90\x00"


def box(kind, *inside):
    data = b"".join(inside)
    return struct.pack(">I", len(data) + 8) + kind + data


def mp4(*inside):
    return box(b"ftyp", b"isom\x00\x00\x02\x00isom") + box(b"mdat", bytes(999)) + box(b"moov", *inside)


def data_box(text):
    return box(b"data", struct.pack(">II", 1, 0), text.encode())


def mp4_keys(text):
    key = struct.pack(">I", 12) + b"mdtaAIGC"
    keys = box(b"keys", bytes(4), struct.pack(">I", 1), key)
    item = box(struct.pack(">I", 1), data_box(text))
    return mp4(box(b"meta", box(b"hdlr", bytes(24)), keys, box(b"ilst", item)))


def mp4_free_form(text):
    named = box(b"----", box(b"mean", bytes(4), b"com.apple"), box(b"name", bytes(4), b"AIGC"), data_box(text))
    return mp4(box(b"udta", box(b"meta", bytes(4), box(b"hdlr", bytes(24)), box(b"ilst", named))))


def mp4_xmp(text):
    return mp4() + box(b"uuid", bytes.fromhex("be7acfcb97a942e89c71999491e3afac"), xmp(text))


def page(text):
    quoted = text.replace('"', "&quot;")
    return (
        f'<!DOCTYPE html><html><head><meta charset="utf-8"><meta name="AIGC" content="{quoted}">'
        "<style>p {}</style></head><body><p>本文由人工智能生成。</p></body></html>"
    ).encode()


WITH = {
    "text.html": page,
    "plain.png": png_text,
    "packed.png": png_packed,
    "wide.png": png_wide,
    "xmp.png": png_xmp,
    "exif.jpg": jpeg_exif,
    "wide.jpg": jpeg_wide,
    "xmp.jpg": jpeg_xmp,
    "comment.jpg": jpeg_comment,
    "xmp.webp": webp_xmp,
    "exif.webp": webp_exif,
    "info.wav": wav_info,
    "id3.wav": wav_id3,
    "plain.mp3": mp3,
    "wide.mp3": mp3_wide,
    "keys.mp4": mp4_keys,
    "free.mp4": mp4_free_form,
    "xmp.mp4": mp4_xmp,
}
"""Name → what writes such a file with a text under the key AIGC."""
WITHOUT = {
    "page.html": b"<!doctype html><html><body><p>Words.</p></body></html>",
    "plain.png": png((b"tEXt", b"Comment\x00AIGC is not here as a key")),
    "plain.jpg": jpeg((b"\xe0", b"JFIF\x00"), (b"\xfe", b"a comment")),
    "plain.webp": riff(b"WEBP", (b"VP8 ", bytes(10))),
    "plain.wav": wav(),
    "plain.mp3": b"\xff\xfb\x90\x00" + bytes(400),
    "plain.mp4": mp4(box(b"trak", box(b"tkhd", bytes(80)))),
}
