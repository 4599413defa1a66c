"""Zip archives whose bytes depend on their content and the source's date alone."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

from source import Source


def zipped(files: Mapping[str, str | bytes], source: Source) -> bytes:
    """OpenDocument, EPUB and HWPX ask for `mimetype` first and uncompressed; XML parts get a declaration."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            if isinstance(content, str) and name != "mimetype":
                content = f'<?xml version="1.0" encoding="UTF-8"?>\n{content}'
            info = zipfile.ZipInfo(name, source.date.timetuple()[:6])
            info.compress_type = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return out.getvalue()
