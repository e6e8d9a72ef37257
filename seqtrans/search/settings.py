"""Search options from a settings file, the environment and the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seqtrans.config.binding import SettingsConflict, checked_values
from seqtrans.errors import UsageError
from seqtrans.search.options import SearchOptions

SettingsSource = tuple[Mapping[str, Any], str]
"""Keys with their values, and where they come from, for error messages."""

REQUIREMENTS = {
    "lm_weight": "a language model (--lm)",
    "ensemble": "several models",
    "max_expansions": "exact",
    "temperature": "sample",
    "top_k": "sample",
    "top_p": "sample",
    "seed": "sample",
    "diversity": "groups",
}
"""Options that have an effect only together with another option or model."""


def search_options(
    shared: Sequence[SettingsSource],
    explicit: Sequence[SettingsSource],
    *,
    models: int = 1,
    language_model: bool = False,
) -> SearchOptions:
    """The options that several sources set; a later source overrides an earlier one.

    The `shared` sources (a settings file, the environment) apply to many commands. An option in them is ignored if it
    has no effect here or if an explicit option excludes it. In the `explicit` sources such an option is an error.
    `models` is the number of translators.

    Raises:
        UsageError: an unknown option, a wrong type, a value out of range, or options that exclude each other.
    """
    explicit_values, _ = _merged(explicit)
    shared_values, origins = _merged(shared)
    while True:
        values = {**shared_values, **explicit_values}
        available = _available(values, models, language_model)
        unused = [key for key, requirement in REQUIREMENTS.items() if key in values and not available[requirement]]
        try:
            options = SearchOptions(**{key: value for key, value in values.items() if key not in unused})
        except SettingsConflict as conflict:
            shared_keys = [key for key in conflict.keys if key in shared_values and key not in explicit_values]
            if not shared_keys or not explicit_values.keys() & conflict.keys:
                raise conflict.with_origins({key: origins[key] for key in shared_keys}) from None
            del shared_values[shared_keys[0]]  # an explicit option excludes it: try again without
            continue
        for key in unused:
            if key in explicit_values:
                requirement = REQUIREMENTS[key]
                raise UsageError(f"{key} has no effect without {requirement}: add that, or leave {key} out")
        return options


def _available(values: Mapping[str, Any], models: int, language_model: bool) -> dict[str, bool]:
    """Which of the `REQUIREMENTS` are fulfilled."""
    return {
        "a language model (--lm)": language_model,
        "several models": models > 1,
        "exact": bool(values.get("exact")),
        "sample": bool(values.get("sample")),
        "groups": values.get("groups", 1) > 1,
    }


def _merged(sources: Sequence[SettingsSource]) -> tuple[dict[str, Any], dict[str, str]]:
    """The values of all sources, later ones over earlier ones, each checked by itself; and the origin of each."""
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for keys, origin in sources:
        checked = checked_values(SearchOptions, "search", keys, origin)
        values |= checked
        origins |= dict.fromkeys(checked, origin)
    return values, origins
