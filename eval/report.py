"""A report: tables and plots in reading order; written as JSON, Markdown and one page that needs nothing else."""

import html
import json
import math
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from eval.metrics import Estimate

STYLE = """
:root{color-scheme:light}body{font:16px/1.55 system-ui,sans-serif;color:#1a202c;background:#fff;margin:0 auto;
max-width:72rem;padding:1.5rem}h1{margin:0}h2{margin:2.2rem 0 .4rem;font-size:1.2rem}.about{color:#4a5568}
table{border-collapse:collapse;font-size:.9rem;margin:.5rem 0}th,td{padding:.3rem .7rem;text-align:left;
border-bottom:1px solid #e2e8f0;vertical-align:top}thead th{background:#f7fafc;border-bottom:2px solid #cbd5e0}
td.number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.note{color:#4a5568;max-width:50rem;margin:.3rem 0}
figure{margin:.5rem 0;display:flex;flex-wrap:wrap;gap:1.5rem;align-items:flex-start}figure svg{max-width:100%;
height:auto}nav a{margin-right:1rem}.scroll{overflow-x:auto}caption{text-align:left;color:#4a5568}
"""


@dataclass(frozen=True)
class Table:
    """Rows under headers; a cell is text, a number, an Estimate or None."""

    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[Any]]
    note: str = ""


@dataclass(frozen=True)
class Plot:
    """A picture, what it shows in words, and its numbers."""

    title: str
    svg: str
    alt: str
    table: Table
    note: str = ""


@dataclass
class Report:
    """What one command found. ``facts`` say how it was made; ``figures`` are for machines."""

    name: str
    title: str
    facts: dict[str, Any] = field(default_factory=dict)
    parts: list[Table | Plot] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    def tables(self) -> list[Table]:
        """Every table, those beside plots included."""
        return [part if isinstance(part, Table) else part.table for part in self.parts]


def write(report: Report, out: Path) -> list[Path]:
    """Write ``name.json``, ``name.md`` and ``name.html`` into ``out``; returns their paths."""
    out.mkdir(parents=True, exist_ok=True)
    facts = {"made": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "python": platform.python_version()} | report.facts
    texts = {
        "json": json.dumps(_json(report, facts), indent=1, ensure_ascii=False) + "\n",
        "md": _markdown(report, facts),
        "html": _html(report, facts),
    }
    paths = []
    for kind, text in texts.items():
        path = out / f"{report.name}.{kind}"
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    return paths


def show(report: Report, console: Console) -> None:
    """Print the tables."""
    console.print(f"[bold]{report.title}[/bold]")
    for part in report.parts:
        shown = part if isinstance(part, Table) else part.table
        table = RichTable(
            title=escape(part.title), title_justify="left", caption=escape(part.note) or None, caption_justify="left"
        )
        for i, header in enumerate(shown.headers):
            table.add_column(header, justify="left" if i == 0 else "right")
        for row in shown.rows:
            table.add_row(*(escape(cell(c)) for c in row))
        console.print(table)


def cell(value: Any) -> str:
    """A cell as text: three decimals for a fraction, a dash for nothing."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Estimate):
        return value.as_dict()
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else None
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)


def _json(report: Report, facts: dict[str, Any]) -> dict[str, Any]:
    tables = [{"title": t.title, "headers": t.headers, "rows": t.rows, "note": t.note} for t in report.tables()]
    plain: dict[str, Any] = _plain(
        {"name": report.name, "title": report.title, "facts": facts, "figures": report.figures, "tables": tables}
    )
    return plain


def _markdown(report: Report, facts: dict[str, Any]) -> str:
    lines = [f"# {report.title}", "", " · ".join(f"{k}: {cell(v)}" for k, v in facts.items()), ""]
    for part in report.parts:
        table = part if isinstance(part, Table) else part.table
        lines += [f"## {part.title}", ""]
        if isinstance(part, Plot):
            lines += [f"{part.alt} (Drawn in {report.name}.html.)", ""]
        lines += [_md_row(table.headers), _md_row(["---"] * len(table.headers))]
        lines += [_md_row([cell(c) for c in row]) for row in table.rows]
        lines += ["", *filter(None, (part.note, table.note if table is not part else ""))]
        lines.append("")
    return "\n".join(lines)


def _md_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(str(c).replace("|", "\\|").replace("\n", " ") for c in cells) + " |"


def _html(report: Report, facts: dict[str, Any]) -> str:
    about = " · ".join(f"{html.escape(k)}: {html.escape(cell(v))}" for k, v in facts.items())
    links = "".join(f'<a href="#part-{i}">{html.escape(p.title)}</a>' for i, p in enumerate(report.parts))
    parts = "".join(_html_part(part, i) for i, part in enumerate(report.parts))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(report.title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body><main>'
        f'<h1>{html.escape(report.title)}</h1><p class="about">{about}</p><nav>{links}</nav>{parts}'
        "</main></body></html>\n"
    )


def _html_part(part: Table | Plot, number: int) -> str:
    note = f'<p class="note">{html.escape(part.note)}</p>' if part.note else ""
    head = f'<section id="part-{number}"><h2>{html.escape(part.title)}</h2>'
    if isinstance(part, Table):
        return f"{head}{_html_table(part)}{note}</section>"
    picture = f'<div role="img" aria-label="{html.escape(part.alt)}">{part.svg}</div>'
    shown = f"<figure>{picture}{_html_table(part.table)}</figure>"
    return f'{head}<p class="note">{html.escape(part.alt)}</p>{shown}{note}</section>'


def _html_table(table: Table) -> str:
    head = "".join(f'<th scope="col">{html.escape(h)}</th>' for h in table.headers)
    body = "".join(f"<tr>{''.join(_html_cell(c, i) for i, c in enumerate(row))}</tr>" for row in table.rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _html_cell(value: Any, column: int) -> str:
    text = html.escape(cell(value))
    if column == 0:
        return f'<th scope="row">{text}</th>'
    number = isinstance(value, (int, float, Estimate))
    return f'<td class="number">{text}</td>' if number else f"<td>{text}</td>"
