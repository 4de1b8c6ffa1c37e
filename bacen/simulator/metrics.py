"""The bank's numbers in the text format of Prometheus; counted by their owners, asked for here."""

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bacen.simulator.counterparties import CounterpartyCounts
from bacen.simulator.dict import DirectoryStatistics, dict_metrics
from bacen.simulator.faults import FaultPlan
from bacen.simulator.requests import BankStatistics, MailStatistics


class Families(Collector):
    """What one scrape shows."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        return self._families


def render(
    bank: BankStatistics,
    mail: MailStatistics,
    directory: DirectoryStatistics,
    plan: FaultPlan,
    counterparties: Mapping[str, CounterpartyCounts],
) -> bytes:
    """Write what one scrape shows."""
    registry = CollectorRegistry(auto_describe=False)
    shown = [*families(bank, mail), *dict_metrics(directory), *faults(plan)]
    registry.register(Families([*shown, *counterparty_metrics(counterparties)]))
    return generate_latest(registry)


def faults(plan: FaultPlan) -> Iterator[Metric]:
    strikes = CounterMetricFamily(
        "corrente_bacen_faults", "Faults on demand that were applied", labels=["fault", "ispb"]
    )
    for (fault, ispb), count in plan.strikes.items():
        strikes.add_metric([fault, ispb], count)
    yield strikes
    hits = CounterMetricFamily(
        "corrente_bacen_fault_hits",
        "Times that a fault which was not removed was applied",
        labels=["id", "fault"],
    )
    for each in plan.all():
        hits.add_metric([each.id, each.order.fault], each.hits)
    yield hits


def counterparty_metrics(counts: Mapping[str, CounterpartyCounts]) -> Iterator[Metric]:
    """Show what each counterparty did since it was started."""
    payments = CounterMetricFamily(
        "corrente_bacen_counterparty_payments",
        "Payments of a counterparty that it sent, or failed to send",
        labels=["ispb", "state"],
    )
    outcomes = CounterMetricFamily(
        "corrente_bacen_counterparty_outcomes",
        "How payments of a counterparty ended: ACSC, or the reason",
        labels=["ispb", "outcome"],
    )
    answers = CounterMetricFamily(
        "corrente_bacen_counterparty_answers",
        "What a counterparty answered, or means to, when it was asked",
        labels=["ispb", "answer"],
    )
    for ispb, each in counts.items():
        payments.add_metric([ispb, "sent"], each.sent)
        payments.add_metric([ispb, "failed"], each.failed)
        for outcome, count in each.outcomes.items():
            outcomes.add_metric([ispb, outcome], count)
        for answer, count in each.answers.items():
            answers.add_metric([ispb, answer], count)
    yield from (payments, outcomes, answers)


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
