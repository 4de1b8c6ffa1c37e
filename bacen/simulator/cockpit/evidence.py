"""Evidence of a run as one HTML document that needs nothing else, to be kept or printed."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

STYLE = """
body{font:15px/1.45 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;
color:#1d2530}
h1{font-size:1.5rem;margin-bottom:.2rem}h2{font-size:1.05rem;margin:1.6rem 0 .3rem}
.notice{border:2px solid #9a5b00;background:#fff6e0;padding:.6rem .9rem;font-weight:600}
table{border-collapse:collapse;width:100%;margin:.4rem 0}
th,td{text-align:left;vertical-align:top;padding:.25rem .6rem;border:1px solid #c9d2dc}
th{background:#eef2f6}code{font:13px/1.4 ui-monospace,monospace;overflow-wrap:anywhere}
.PASSED{color:#0b6b3a}.FAILED{color:#a31515}p{margin:.3rem 0}
"""


def evidence_html(run: Mapping[str, Any]) -> str:
    """Write a run, as `shown_run` gives it, as a document."""
    title = f"Homologation of {run['participant']} ({run['name']})"
    facts = {
        "result": run["state"],
        "steps passed": f"{run['passed']} of {run['steps_total']}",
        "began": run["began_at"],
        "ended": run["ended_at"] or "under way",
        "bank": f"corrente {run['bank']['version']}, simulated"
        if run["bank"]["is_simulated"]
        else run["bank"]["version"],
        "machine of the bank": run["bank"]["machine"],
        "run": run["id"],
    }
    steps = "".join(step_html(each) for each in run["steps"])
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text(title)}</title><style>{STYLE}</style></head><body>"
        f'<p class="notice">{text(run["notice"])}</p><h1>{text(title)}</h1>'
        f"{table((), ([name, value] for name, value in facts.items()))}{steps}</body></html>"
    )


def step_html(step: Mapping[str, Any]) -> str:
    parts = [
        f"<h2>{text(step['id'])} {text(step['title'])}",
        f' <span class="{text(step["state"])}">{text(step["state"])}</span></h2>',
        f"<p>{text(step['english'])}. {text(step['do'])}</p>",
    ]
    if step["began_at"]:
        ended = step["ended_at"] or "under way"
        parts.append(f"<p>From {text(step['began_at'])} to {text(ended)}.</p>")
    parts += [f"<p>Bank: <code>{text(each)}</code></p>" for each in step["done"]]
    if step["reason"]:
        parts.append(f"<p><strong>{text(step['reason'])}</strong></p>")
    rows = [
        [each["text"], f"{each['count']} of {each['need']}", sights(each["seen"])]
        for each in step["checks"]
    ]
    if rows:
        parts.append(table(("check", "seen", "what"), rows))
    if step["capacity"]:
        parts.append(capacity_html(step["capacity"]))
    return "".join(parts)


def capacity_html(capacity: Mapping[str, Any]) -> str:
    gauges = [
        [
            each["text"],
            f"{each['value']} of {each['total']} ({each['percent']} %)",
            f"{each['least_percent']} %",
            "met" if each["is_met"] else "not met",
        ]
        for each in capacity["gauges"]
    ]
    times = [
        [f"{name}, ms", ", ".join(f"{each} {value}" for each, value in seen.items())]
        for name, seen in capacity["milliseconds"].items()
    ]
    return table(("figure", "counted", "needed", "result"), gauges) + table((), times)


def sights(seen: Iterable[Mapping[str, Any]]) -> str:
    return "\n".join(" ".join(f"{name}={value}" for name, value in each.items()) for each in seen)


def table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    heads = "".join(f'<th scope="col">{text(each)}</th>' for each in head)
    body = "".join(
        "<tr>" + "".join(f"<td><code>{text(cell)}</code></td>" for cell in row) + "</tr>"
        for row in rows
    )
    return f"<table>{f'<tr>{heads}</tr>' if heads else ''}{body}</table>"


def text(value: object) -> str:
    return escape(str(value)).replace("\n", "<br>")
