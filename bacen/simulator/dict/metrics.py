"""DICT's numbers for a scrape of the bank."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from bacen.simulator.dict.requests import DirectoryStatistics


def dict_metrics(directory: DirectoryStatistics) -> Iterator[Metric]:
    """Write what the directory counts."""
    answers = CounterMetricFamily(
        "corrente_bacen_dict_answers", "Answers of DICT", labels=["operation", "type"]
    )
    for (operation, kind), count in directory.answers.items():
        answers.add_metric([operation, kind], count)
    yield answers
    yield GaugeMetricFamily("corrente_bacen_dict_entries", "Keys that DICT has", directory.entries)
    yield CounterMetricFamily(
        "corrente_bacen_dict_faults", "The bank's own code failed; see the log", directory.faults
    )
