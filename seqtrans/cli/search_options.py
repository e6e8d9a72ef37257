"""How the settings of a search come together: flags, then --set, the environment, the --config file, the defaults."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqtrans.errors import UsageError
from seqtrans.settings import SECTIONS, from_environment, known, parse_value, read_toml, updated_sections

if TYPE_CHECKING:
    from seqtrans.search.combination import Combination
    from seqtrans.search.hypothesis import SearchOptions


@dataclass(frozen=True)
class Resolved:
    """Settings, and which of them were given."""

    options: SearchOptions
    combination: Combination
    given: frozenset[str]
    said: frozenset[str]
    """Those of them that stand on the command line, and not in a file or the environment."""


def resolve(config: Path | None, settings: list[str], flags: dict[str, Any], *, drawn: bool = False) -> Resolved:
    """All settings, of a search or of what is `drawn`; flags that are None were not given.

    Raises:
        UsageError: an unknown setting, a wrong type, a value out of range, or what cannot go together.
        StreamError: the file cannot be read.
    """
    from seqtrans.search.combination import Combination
    from seqtrans.search.hypothesis import SearchOptions

    standing: list[tuple[Any, str]] = []
    if config is not None:
        tables = read_toml(config)
        for name in tables:
            known(name, SECTIONS, str(config), "section")
        standing.append((tables.get("search", {}), str(config)))
    standing.append((from_environment().get("search", {}), "environment"))
    sources: list[tuple[Any, str]] = []
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise UsageError(f"--set takes KEY=VALUE, such as word_reward=0.5, not '{setting}'")
        sources.append(({key: parse_value(value)}, "--set"))
    for key, value in flags.items():
        if value is not None:
            sources.append(({key: value}, f"--{key.replace('_', '-')}"))
    options, combination = SearchOptions(), Combination()
    ranking, sampling = options.ranking, options.sampling
    for keys, where in [*standing, *sources]:
        sections = [options, ranking, sampling, combination]
        options, ranking, sampling, combination = updated_sections(sections, "search", keys, where)
    if options.n_best > options.beam and not drawn:
        raise UsageError(f"n_best = {options.n_best} needs a beam as wide: add --beam {options.n_best}")
    said = frozenset(key for keys, _ in sources for key in keys)
    given = said.union(key for keys, _ in standing for key in keys)
    return Resolved(replace(options, ranking=ranking, sampling=sampling), combination, given, said)
