"""The bank's numbers in the text format of Prometheus; counted by their owners, asked for here."""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bacen.simulator.requests import BankStatistics, MailStatistics


class Families(Collector):
    """What one scrape shows."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        return self._families


def render(bank: BankStatistics, mail: MailStatistics) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Families(families(bank, mail)))
    return generate_latest(registry)


def families(bank: BankStatistics, mail: MailStatistics) -> Iterator[Metric]:
    messages = CounterMetricFamily(
        "corrente_bacen_messages_received", "Messages taken from participants", labels=["kind"]
    )
    for kind, count in bank.messages.items():
        messages.add_metric([kind], count)
    yield messages
    payments = CounterMetricFamily(
        "corrente_bacen_payments", "Payments finished", labels=["outcome", "reason"]
    )
    for (outcome, reason), count in bank.payments.items():
        payments.add_metric([outcome, reason], count)
    yield payments
    yield from accounts(bank)
    yield GaugeMetricFamily(
        "corrente_bacen_payments_under_way", "Payments not finished or not stored", bank.pending
    )
    yield CounterMetricFamily("corrente_bacen_commits", "Batches stored", bank.commits)
    streams = GaugeMetricFamily("corrente_bacen_streams", "Open read streams", labels=["ispb"])
    for ispb, count in mail.streams.items():
        streams.add_metric([ispb], count)
    yield streams
    waiting = GaugeMetricFamily(
        "corrente_bacen_messages_waiting", "Messages nobody has read", labels=["ispb"]
    )
    for ispb, count in mail.waiting.items():
        waiting.add_metric([ispb], count)
    yield waiting
    yield alarms(bank, mail)


def accounts(bank: BankStatistics) -> Iterator[Metric]:
    available = GaugeMetricFamily(
        "corrente_bacen_pi_available_cents", "PI account less what is blocked", labels=["ispb"]
    )
    blocked = GaugeMetricFamily(
        "corrente_bacen_pi_blocked_cents", "Blocked for payments under way", labels=["ispb"]
    )
    for ispb, balance_cents, blocked_cents in bank.accounts:
        available.add_metric([ispb], balance_cents - blocked_cents)
        blocked.add_metric([ispb], blocked_cents)
    yield available
    yield blocked


def alarms(bank: BankStatistics, mail: MailStatistics) -> Metric:
    family = CounterMetricFamily(
        "corrente_bacen_alarms", "Things an operator wants to know of", labels=["kind"]
    )
    family.add_metric(["late_answer"], bank.late_answers)
    family.add_metric(["abandoned_stream"], mail.abandoned)
    family.add_metric(["fault"], bank.faults)
    family.add_metric(["money_missing_cents"], abs(bank.money_missing_cents))
    return family
