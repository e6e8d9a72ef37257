"""`seqtrans translate`: a filter from source lines to target lines."""

from __future__ import annotations

import time
from dataclasses import replace

from seqtrans.cli.models import CellsOption, load
from seqtrans.cli.options import (
    DeviceOption,
    ThreadsOption,
)
from seqtrans.cli.pace import Pace
from seqtrans.cli.settings import background_settings, explicit_settings
from seqtrans.cli.texts import FilesArgument, OutputOption, check_texts
from seqtrans.cli.translate_lines import (
    Places,
    check_report,
    models_and_texts,
    refuse_search_options,
    tagger_function,
    translator_function,
    write_translations,
)
from seqtrans.cli.translate_options import (
    AlignmentOption,
    BatchSizeOption,
    BeamOption,
    ConfigOption,
    ExactOption,
    LanguageModelOption,
    LengthPenaltyOption,
    LmWeightOption,
    ModelsOption,
    NBestOption,
    OutputFormatOption,
    PrecisionOption,
    PrefixOption,
    ProcessesOption,
    ReportOption,
    RequireOption,
    SampleOption,
    SettingsOption,
    ShortlistOption,
    VerboseOption,
)


def translate(
    models: ModelsOption,
    files: FilesArgument = None,
    language_model: LanguageModelOption = None,
    lm_weight: LmWeightOption = None,
    cell: CellsOption = None,
    beam: BeamOption = None,
    length_penalty: LengthPenaltyOption = None,
    exact: ExactOption = False,
    sample: SampleOption = None,
    shortlist: ShortlistOption = False,
    settings: SettingsOption = None,
    config: ConfigOption = None,
    prefix: PrefixOption = False,
    require: RequireOption = False,
    n_best: NBestOption = None,
    output_format: OutputFormatOption = "text",
    alignment: AlignmentOption = None,
    report: ReportOption = None,
    output: OutputOption = None,
    verbose: VerboseOption = False,
    batch_size: BatchSizeOption = 64,
    processes: ProcessesOption = 1,
    precision: PrecisionOption = "auto",
    device: DeviceOption = "auto",
    threads: ThreadsOption = 0,
) -> None:
    """Translate texts, or standard input.

    Writes the translations in the order of the lines, as soon as a group of lines is finished: one for each line, or
    as many as --n-best says. With a tagger as MODEL, writes the tags of each line.

    Examples:
      seqtrans translate -m m.safetensors < source.txt > translation.txt
      seqtrans translate -m m.safetensors test.txt dev.txt -o translation.txt
      seqtrans translate -m m.safetensors --n-best 3 --format moses < source.txt
    """
    flags = {
        "beam": beam, "n_best": n_best, "length_penalty": length_penalty, "lm_weight": lm_weight,
        "shortlist": shortlist, "sample": sample, "exact": exact, "prefix": prefix, "require": require,
        "alignment": alignment, "record": report is not None,
    }  # fmt: skip
    from seqtrans.device import SEARCH_PRECISIONS, choose_compute
    from seqtrans.inference.formats import find_format
    from seqtrans.inference.stream import ChunkTranslator, StreamOptions
    from seqtrans.inference.workers import check_processes
    from seqtrans.search.options import SearchOptions
    from seqtrans.search.settings import search_options

    explicit = explicit_settings(settings or [], flags)
    models, files = models_and_texts(models, files or [])
    others = [*models, *(path for path in (language_model, config) if path is not None)]
    texts = check_texts(files, output, others)
    check_report(report, output, [*others, *texts])
    start = time.perf_counter()
    # a process that has used several threads of torch cannot be forked safely
    compute = choose_compute(device, precision, threads if processes == 1 else 1, precisions=SEARCH_PRECISIONS)
    check_processes(processes, compute.device)
    trained = [load(model, cell) for model in models]
    is_tagger = trained[0].config.model.task == "tag"
    if is_tagger:
        refuse_search_options(len(models) + (language_model is not None), explicit)
        options = SearchOptions()
        translate_lines = tagger_function(trained[0], compute, batch_size)
    else:
        background = background_settings(config)
        options = search_options(background, explicit, models=len(models), language_model=language_model is not None)
        options = replace(options, record=report is not None)  # without a report, records would only take memory
        language = None if language_model is None else load(language_model, cell)
        translate_lines = translator_function(trained, language, compute, options, batch_size)
    chunk_translator = ChunkTranslator(
        translate_lines,
        find_format(output_format, lists=options.is_list),
        trained[0].target_subwords if report is not None else None,
    )
    stream = StreamOptions(batch_size, options.sample, processes, threads, refuse_long_lines=is_tagger)
    write_translations(
        chunk_translator,
        stream,
        Places(texts, output, report),
        Pace(start) if verbose else None,
        is_exact=options.exact,
        takes_columns=options.prefix or options.require,
    )
