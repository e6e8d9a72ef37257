"""Packages that bring plugins."""

from __future__ import annotations

from pathlib import Path


def install(folder: Path, module: str, entry_points: str) -> Path:
    """Make a folder hold `their_package`, as if pip had installed it there."""
    metadata = folder / "their_package-1.dist-info"
    metadata.mkdir(parents=True)
    (folder / "their_package.py").write_text(module, "utf-8")
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: their-package\nVersion: 1\n", "utf-8")
    (metadata / "entry_points.txt").write_text(entry_points, "utf-8")
    return folder
