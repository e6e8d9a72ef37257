"""Scripts that are written without spaces between words: Chinese, Japanese, Thai, Lao, Myanmar and Khmer."""

from __future__ import annotations

import re

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_OTHERS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff"  # Thai, Lao, Myanmar, Khmer, Japanese kana
_SPACELESS = re.compile(f"[{_HAN}{_OTHERS}]")
_HAN_ONLY = re.compile(f"[{_HAN}]")


def is_spaceless(text: str) -> bool:
    """Whether most characters of a text, spaces aside, are of such scripts."""
    return 2 * len(_SPACELESS.findall(text)) > len(text.replace(" ", ""))


def has_spaceless(text: str) -> bool:
    """Whether any character of a text is of such a script."""
    return _SPACELESS.search(text) is not None


def is_chinese(text: str) -> bool:
    """Whether nearly all characters of such scripts in a text are Chinese."""
    return len(_HAN_ONLY.findall(text)) > 0.9 * len(_SPACELESS.findall(text))
