"""Search options from a settings file, the environment and the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seqtrans.config.binding import SettingsConflict, checked_values
from seqtrans.errors import UsageError
from seqtrans.search.options import SearchOptions

Layer = tuple[Mapping[str, Any], str]
"""Keys with their values, and the name of their source for error messages."""

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
    shared: Sequence[Layer], explicit: Sequence[Layer], *, models: int = 1, language_model: bool = False
) -> SearchOptions:
    """The options that several layers set; a later layer overrides an earlier one.

    The `shared` layers (a settings file, the environment) apply to many commands. An option in them is ignored if it
    has no effect here or if an explicit option excludes it. In the `explicit` layers such an option is an error.
    `models` is the number of translators.

    Raises:
        UsageError: an unknown option, a wrong type, a value out of range, or options that exclude each other.
    """
    explicit_values, _ = _merged(explicit)
    shared_values, sources = _merged(shared)
    while True:
        values = {**shared_values, **explicit_values}
        available = _available(values, models, language_model)
        unused = [key for key, requirement in REQUIREMENTS.items() if key in values and not available[requirement]]
        try:
            options = SearchOptions(**{key: value for key, value in values.items() if key not in unused})
        except SettingsConflict as error:
            own = [key for key in error.keys if key in shared_values and key not in explicit_values]
            if not own or not explicit_values.keys() & error.keys:
                origins = ", ".join(dict.fromkeys(sources[key] for key in own))
                raise SettingsConflict(f"{origins}: {error}" if origins else str(error), *error.keys) from None
            del shared_values[own[0]]
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


def _merged(layers: Sequence[Layer]) -> tuple[dict[str, Any], dict[str, str]]:
    """The values of all layers, later ones over earlier ones, each checked by itself; and where each comes from."""
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for keys, where in layers:
        checked = checked_values(SearchOptions, "search", keys, where)
        values |= checked
        sources |= dict.fromkeys(checked, where)
    return values, sources
