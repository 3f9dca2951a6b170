"""Pieces of a page: tables, folds, charts, numbers. Whatever is no Markup is escaped."""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from markupsafe import Markup, escape

Text = str | Markup
Kind = Literal["good", "bad", "warn", "plain"]
NONE, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"


def join(pieces: Iterable[Text | None], between: str = "") -> Markup:
    """Pieces one after the other; None is left out."""
    return Markup(between).join(piece for piece in pieces if piece is not None)


def paragraph(text: Text, kind: str = "") -> Markup:
    """A paragraph; `kind` is a class of the style sheet: lead, hint."""
    return (
        Markup('<p class="{}">{}</p>').format(kind, text)
        if kind
        else Markup(f"<p>{escape(text)}</p>")
    )


def heading(text: Text, level: int = 3) -> Markup:
    """A heading below that of the part, which is of level 2."""
    return Markup(f"<h{level}>{escape(text)}</h{level}>")


def listing(items: Iterable[Text], kind: str = "") -> Markup:
    """An unordered list."""
    rows = join(Markup("<li>{}</li>").format(item) for item in items)
    return Markup('<ul class="{}">{}</ul>').format(kind, rows)


def badge(word: Text, kind: Kind = "plain") -> Markup:
    """A word that stands out; the colour says nothing that the word does not."""
    return Markup('<span class="badge {}">{}</span>').format(kind, word)


def code(text: Text) -> Markup:
    """A name or a key, which may be broken anywhere."""
    return Markup("<code>{}</code>").format(text)


def command(text: str) -> Markup:
    """What to type; a button of the page copies it."""
    return Markup('<pre class="command" tabindex="0"><code>{}</code></pre>').format(text)


def digest(sha256: str, length: int = 12) -> Markup:
    """The beginning of a digest; a click on it gives all of it."""
    if len(sha256) <= length:
        return code(sha256)
    return Markup(
        '<details class="digest"><summary><code>{}</code></summary><code>{}</code></details>'
    ).format(sha256[:length], sha256)


def fold(summary: Text, body: Text, is_open: bool = False) -> Markup:
    """What is seen after a click on a line."""
    return Markup("<details{}><summary>{}</summary>{}</details>").format(
        Markup(" open") if is_open else "", summary, body
    )


def facts(rows: Iterable[tuple[Text, Text | None]]) -> Markup:
    """Short values by name; those that are None are left out."""
    cells = join(
        Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(name, value)
        for name, value in rows
        if value is not None
    )
    return Markup('<dl class="facts">{}</dl>').format(cells)


def table(
    caption: Text,
    columns: Sequence[str],
    rows: Iterable[Sequence[Text]],
    numeric: Iterable[str] = (),
) -> Markup:
    """A table that scrolls sideways where it is too wide; the first cell of a row is its heading.

    Args:
      caption: What it shows.
      columns: Headings.
      rows: Cells; an empty one is shown as a dash.
      numeric: Headings of the columns that are set to the right.
    """
    right = [Markup(' class="n"') if name in set(numeric) else Markup("") for name in columns]
    head = join(
        Markup('<th scope="col"{}>{}</th>').format(place, name)
        for name, place in zip(columns, right, strict=True)
    )
    body = join(_row(row, right) for row in rows)
    return Markup(
        '<div class="scroll" tabindex="0" role="group" aria-label="{label}"><table>'
        "<caption>{caption}</caption><thead><tr>{head}</tr></thead>"
        "<tbody>{body}</tbody></table></div>"
    ).format(
        label=Markup(caption).striptags() if isinstance(caption, Markup) else caption,
        caption=caption,
        head=head,
        body=body,
    )


def _row(cells: Sequence[Text], right: Sequence[Markup]) -> Markup:
    made = []
    for place, (cell, to_right) in enumerate(zip(cells, right, strict=True)):
        form = '<th scope="row"{}>{}</th>' if place == 0 else "<td{}>{}</td>"
        made.append(Markup(form).format(to_right, cell if cell != "" else NONE))
    return Markup("<tr>{}</tr>").format(join(made))


def chart(element: str, label: str, caption: Text = "", height: int = 220) -> Markup:
    """The place of a chart.

    Args:
      element: Its id, the key of the specification in `Part.charts`.
      label: What the picture shows, in a sentence, for who does not see it; the values themselves
        stand in a table or a text beside it.
      caption: Below the picture.
      height: Pixels that are kept free until it is drawn.
    """
    below = Markup("<figcaption>{}</figcaption>").format(caption) if caption else ""
    return Markup(
        '<figure><div class="chart" id="{}" role="img" aria-label="{}" '
        'style="min-height:{}px"></div>{}</figure>'
    ).format(element, label, height, below)


def number(value: float | None, form: str = ".4f") -> str:
    """A number, or a dash."""
    return NONE if value is None else format(value, form).replace("-", MINUS)


def percent(value: float | None, digits: int = 1) -> str:
    """A share in percent, or a dash."""
    return NONE if value is None else f"{value:.{digits}%}".replace("-", MINUS)


def interval(ends: Sequence[float] | None, form: str = ".3f") -> Text:
    """`0.861 to 0.902`, the ends of a 95% interval; empty without one."""
    if ends is None:
        return ""
    low, high = (format(end, form).replace("-", MINUS) for end in ends)
    return Markup('<span class="interval">{} to {}</span>').format(low, high)


def with_interval(value: float | None, ends: Sequence[float] | None, form: str = ".3f") -> Text:
    """A value and below it its 95% interval."""
    if value is None or ends is None:
        return number(value, form)
    return Markup("{} {}").format(number(value, form), interval(ends, form))


def count(value: float | None) -> str:
    """A count with its thousands apart, or a dash."""
    return NONE if value is None else f"{value:,.0f}"


def duration(seconds: float) -> str:
    """`0.4 s`, `33 s`, `4 min 05 s`, `1 h 02 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    if whole < 7200:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def share_bar(share: float | None) -> Markup:
    """A bar as long as a share, beside its percentage."""
    if share is None:
        return Markup(NONE)
    return Markup('<span class="share"><i style="width:{:.1f}%"></i></span> {}').format(
        100 * min(1.0, max(0.0, share)), percent(share)
    )


def difference(
    one: float | None, other: float | None, shown: Callable[[float | None], str] = number
) -> str:
    """The first minus the second with its sign, as `shown` writes numbers; a dash without both."""
    if one is None or other is None:
        return NONE
    text = shown(abs(one - other))
    if text == shown(0.0):
        return text
    return f"{'+' if one > other else MINUS}{text}"
