"""Reads what a Windows DLL exports and imports, and what an import library offers."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Image:
    data: bytes
    sections: list[tuple[int, int, int]]  # address in memory, size, offset in the file
    directories: list[tuple[int, int]]  # address in memory, size


def load(path: Path) -> Image:
    data = path.read_bytes()
    header = struct.unpack_from("<I", data, 0x3C)[0]
    magic, count, optional_size = struct.unpack_from("<I2xH12xH", data, header)
    if magic != 0x4550:
        raise ValueError(f"{path} is no PE file")
    optional = header + 24
    is_64 = struct.unpack_from("<H", data, optional)[0] == 0x20B
    first = optional + (112 if is_64 else 96)
    entries = struct.unpack_from("<I", data, first - 4)[0]
    directories = [struct.unpack_from("<II", data, first + 8 * i) for i in range(entries)]
    sections = []
    for i in range(count):
        size, address, raw_size, offset = struct.unpack_from(
            "<IIII", data, optional + optional_size + 40 * i + 8
        )
        sections.append((address, max(size, raw_size), offset))
    return Image(data, sections, directories)


def _offset(image: Image, address: int) -> int:
    for start, size, offset in image.sections:
        if start <= address < start + size:
            return address - start + offset
    raise ValueError(f"address {address:#x} lies in no section")


def _text(image: Image, address: int) -> str:
    start = _offset(image, address)
    return image.data[start : image.data.index(b"\0", start)].decode("ascii")


def exports(path: Path) -> list[str]:
    image = load(path)
    address, size = image.directories[0]
    if not size:
        return []
    table = _offset(image, address)
    count, _functions, names = struct.unpack_from("<III", image.data, table + 24)
    start = _offset(image, names) if count else 0
    return [_text(image, struct.unpack_from("<I", image.data, start + 4 * i)[0]) for i in range(count)]


def imports(path: Path) -> list[str]:
    """The names of the DLLs that are loaded together with this one."""
    image = load(path)
    address, size = image.directories[1]
    found: list[str] = []
    if not size:
        return found
    position = _offset(image, address)
    while name := struct.unpack_from("<I", image.data, position + 12)[0]:
        found.append(_text(image, name))
        position += 20
    return found


def library_symbols(path: Path) -> list[str]:
    """What an import library offers: the index that every `ar` archive begins with."""
    data = path.read_bytes()
    if not data.startswith(b"!<arch>\n/ "):
        raise ValueError(f"{path} is no import library")
    size = int(data[8 + 48 : 8 + 58])
    index = data[68 : 68 + size]
    count = struct.unpack_from(">I", index)[0]
    names = index[4 + 4 * count :].split(b"\0")[:count]
    return [name.decode("ascii") for name in names]
