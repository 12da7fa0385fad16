"""Draw the picture of the front page: ten words become ten columns, and the encoder fills the blank.

``python book/_ext/hero.py`` writes ``hero.svg`` and ``hero-phone.svg`` into ``book/_static``. Colours are the
CSS variables of ``book.css``, with fallbacks, so the same files work inside the page (light and dark,
following the page's switch) and alone. The small vectors are the toy numbers of chapter 03; the weights and
bars are drawn, not measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bertlib.lab import toy

STATIC = Path(__file__).resolve().parents[1] / "_static"
WORDS = ["[MASK]" if piece == "cute" else piece for piece in toy.PIECES]
MASKED = WORDS.index("[MASK]")
# how far each word helps to fill the blank, and what might stand there: an illustration
WEIGHTS = [0.10, 0.30, 0.95, 0.55, 0.20, 0.08, 0.60, 0.30, 0.42, 0.08]
GUESSES = [("cute", 1.0), ("small", 0.42), ("asleep", 0.26), ("hungry", 0.17)]
# the toy numbers of chapter 03, each table scaled to shades from 0 to 1
TOKEN = {piece: [v / 3 for v in vector] for piece, vector in toy.TOKEN_VECTORS.items()}
SEGMENT = [[v / 0.4 for v in vector] for vector in toy.SEGMENT_VECTORS]
POSITION = [[v / 0.09 for v in vector] for vector in toy.position_table().tolist()]

STYLE = """
svg.hero{--hi:var(--bert-ink,#1b2733);--hm:var(--bert-muted,#55636f);--hl:var(--bert-line,#c3ced8);
--hs:var(--bert-surface,#f3f6f8);--ht:var(--bert-token,#0072b2);--hg:var(--bert-segment,#009e73);
--hp:var(--bert-position,#e69f00);--hq:var(--bert-query,#d55e00);--hv:var(--bert-value,#b3629a);
--hc:var(--bert-selected,#f0e442);--hk:var(--bert-masked,#1b2733);--hn:var(--bert-on-masked,#fff);
font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
@media (prefers-color-scheme:dark){svg.hero{--hi:var(--bert-ink,#e8eef3);--hm:var(--bert-muted,#a3b3c1);
--hl:var(--bert-line,#3c4a57);--hs:var(--bert-surface,#1b252e);--ht:var(--bert-token,#56b4e9);
--hg:var(--bert-segment,#2bc596);--hp:var(--bert-position,#f0b429);--hq:var(--bert-query,#ff8a4c);
--hk:var(--bert-masked,#e8eef3);--hn:var(--bert-on-masked,#10181f)}}
.hero text{fill:var(--hi)}.hero .small{fill:var(--hm)}
.hero .mid{text-anchor:middle}.hero .end{text-anchor:end}
.hero .code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
@media (prefers-reduced-motion:no-preference){
.hero .flow{stroke-dasharray:1;stroke-dashoffset:1;animation:hero-flow 1.4s .3s ease-out forwards}
.hero .grow{transform-box:fill-box;transform-origin:left;animation:hero-grow .9s 1.2s ease-out backwards}}
@keyframes hero-flow{to{stroke-dashoffset:0}}@keyframes hero-grow{from{transform:scaleX(0)}}
"""
TITLE = "From words to columns to a filled blank"
ALT = (
    "The ten pieces of “[CLS] my dog is [MASK] [SEP] it likes playing [SEP]” stand in ten columns. "
    "Each column adds three small vectors: one for the token, one for the segment (A for the first six "
    "columns, B for the last four), one for the position. The ten sums enter an encoder; lines from every "
    "column, the thickest from “dog”, meet above [MASK], where “cute” is the longest of four bars. Above "
    "[CLS] the encoder answers that the second sentence follows the first."
)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Sizes of one version of the picture, in SVG units."""

    width: int
    left: int
    column: float
    cell: tuple[float, float]
    font: float
    phone: bool

    def x(self, t: int) -> float:
        """Middle of column ``t``."""
        return self.left + self.column * (t + 0.5)


WIDE = Layout(width=940, left=108, column=82, cell=(48, 9), font=15, phone=False)
PHONE = Layout(width=360, left=6, column=34.8, cell=(24, 8), font=12.5, phone=True)


def text(x: float, y: float, words: str, size: float, kind: str = "", extra: str = "") -> str:
    """One line of text."""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" class="{kind}" {extra}>{words}</text>'


def rect(x: float, y: float, w: float, h: float, fill: str, r: float = 2, extra: str = "") -> str:
    """One rounded box."""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" rx="{r}" fill="{fill}" {extra}/>'


def vector(look: Layout, t: int, y: float, shades: Sequence[float], colour: str) -> str:
    """One vector of four numbers as a stack of four cells, darker for larger."""
    w, h = look.cell
    return "".join(
        rect(look.x(t) - w / 2, y + k * h, w, h - 1, colour, 1.5, f'opacity="{0.16 + 0.84 * s:.2f}"')
        for k, s in enumerate(shades)
    )


def columns(look: Layout, top: float) -> tuple[list[str], float]:
    """The four rows of vectors from ``top`` down (sum, position, segment, token), and where they end."""
    out, high, gap = [], 4 * look.cell[1], 20 if look.phone else 19
    rows = [
        ("= input", "var(--hv)"),
        ("+ position", "var(--hp)"),
        ("+ segment", "var(--hg)"),
        ("token", "var(--ht)"),
    ]
    for row, (name, colour) in enumerate(rows):
        y = top + row * (high + gap)
        if look.phone:
            out.append(text(look.left + 4, y - 5, name, 11, "small"))
        else:
            out.append(text(look.left - 8, y + high / 2 + 5, name, 14, "small end"))
        for t, word in enumerate(WORDS):
            parts = (TOKEN[word], SEGMENT[toy.SEGMENTS[t]], POSITION[t])
            total = [sum(v) / 3 for v in zip(*parts, strict=True)]
            out.append(vector(look, t, y, (total, parts[2], parts[1], parts[0])[row], colour))
            if row and not look.phone:
                out.append(text(look.x(t), y - 5, "=" if row == 1 else "+", 12, "small mid"))
    return out, top + 4 * high + 3 * gap


def words(look: Layout, top: float) -> list[str]:
    """The ten pieces and the two sentences they come from."""
    out, high = [], 62 if look.phone else 28
    for t, word in enumerate(WORDS):
        x, w = look.x(t), look.column - (4 if look.phone else 10)
        masked = t == MASKED
        if masked:
            out.append(rect(x - w / 2, top, w, high, "var(--hk)", 5))
        fill = 'style="fill:var(--hn)"' if masked else ""
        if look.phone:
            turn = f'transform="rotate(-90 {x:.1f} {top + high / 2:.1f})" {fill}'
            out.append(text(x, top + high / 2 + 4, word, look.font, "code mid", turn))
        else:
            out.append(text(x, top + 19, word, look.font, "code mid", fill))
    for name, first, last in (("sentence A", 0, 5), ("sentence B", 6, 9)):
        x0, x1, y = look.x(first) - look.column / 2 + 6, look.x(last) + look.column / 2 - 6, top + high + 12
        out.append(
            f'<path d="M{x0:.1f} {y - 5}v5H{x1:.1f}v-5" fill="none" stroke="var(--hg)" stroke-width="2"/>'
        )
        out.append(text((x0 + x1) / 2, y + 17, name, 12.5, "small mid"))
    return out


def encoder(look: Layout, top: float, high: float) -> list[str]:
    """The encoder's box: one block in which all look at all, one in which the blank collects its clues."""
    x0, x1 = look.x(0) - look.column / 2 + 2, look.x(9) + look.column / 2 - 2
    out = [rect(x0, top, x1 - x0, high, "var(--hs)", 12, 'stroke="var(--hl)"')]
    low, middle, up = top + high - 12, top + high / 2, top + 14
    for a in range(10):
        for b in range(10):
            out.append(
                f'<path d="M{look.x(a):.1f} {low}L{look.x(b):.1f} {middle}" '
                'stroke="var(--hl)" stroke-width=".7" opacity=".8"/>'
            )
    for t, weight in enumerate(WEIGHTS):
        a, b = look.x(t), look.x(MASKED)
        out.append(
            f'<path class="flow" pathLength="1" '
            f'd="M{a:.1f} {middle}C{a:.1f} {middle - 34} {b:.1f} {up + 40} {b:.1f} {up}" '
            f'fill="none" stroke="var(--hq)" stroke-linecap="round" stroke-width="{0.6 + 4.6 * weight:.1f}" '
            f'opacity="{0.3 + 0.6 * weight:.2f}"/>'
        )
    for t in range(10):
        out.append(
            f'<circle cx="{look.x(t):.1f}" cy="{middle}" r="{3 if look.phone else 4}" fill="var(--hm)"/>'
        )
        out.append(f'<circle cx="{look.x(t):.1f}" cy="{low}" r="{3 if look.phone else 4}" fill="var(--hv)"/>')
    out.append(f'<circle cx="{look.x(MASKED):.1f}" cy="{up}" r="6" fill="var(--hq)"/>')
    out.append(
        f'<path d="M{look.x(0):.1f} {middle}V{top}" '
        'stroke="var(--hm)" stroke-width="1.6" stroke-dasharray="3 4"/>'
    )
    if not look.phone:
        out.append(text(look.left - 8, top + high / 2 + 5, "encoder", 14, "small end"))
    return out


def answers(look: Layout, top: float, bottom: float) -> list[str]:
    """Above the encoder: the four best words for the blank, and the verdict over the pair."""
    x, out = look.x(MASKED), []
    length, size = (92, 13) if look.phone else (250, 16)
    bars = x + 18
    out.append(f'<path d="M{x:.1f} {bottom + 14}V{top + 12}" stroke="var(--hq)" stroke-width="3"/>')
    for k, (word, share) in enumerate(GUESSES):
        y = top + k * 27
        best = k == 0
        fill, stroke = ("var(--hc)", "var(--hi)") if best else ("var(--hl)", "none")
        extra = f'class="grow" stroke="{stroke}" stroke-width="{1.2 if best else 0}"'
        out.append(rect(bars + (58 if look.phone else 74), y, length * share, 20, fill, 4, extra))
        weight = 'font-weight="700"' if best else ""
        out.append(text(bars, y + 15, word, size, "" if best else "small", weight))
    tag = 112 if look.phone else 158
    left = look.x(0) - look.column / 2 + 4
    out.append(rect(left, top + 40, tag, 50, "none", 8, 'stroke="var(--hl)" stroke-width="1.5"'))
    out.append(text(left + 10, top + 60, "B follows A?", 12.5 if look.phone else 14, "small"))
    out.append(text(left + 10, top + 80, "yes, IsNext", 12.5 if look.phone else 14, "", 'font-weight="600"'))
    out.append(
        f'<path d="M{look.x(0):.1f} {bottom}V{top + 90}" '
        'stroke="var(--hm)" stroke-width="1.6" stroke-dasharray="3 4"/>'
    )
    return out


def draw(look: Layout, name: str) -> str:
    """The whole picture."""
    top = 12
    box, tall = top + 122, 150
    parts = answers(look, top, box) + encoder(look, box, tall)
    rows, end = columns(look, box + tall + (28 if look.phone else 14))
    parts += rows + words(look, end + 12)
    height = int(end + (112 if look.phone else 76))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="hero {name}" '
        f'viewBox="0 0 {look.width} {height}" role="img" '
        f'aria-labelledby="{name}-title {name}-desc"><title id="{name}-title">{TITLE}</title>'
        f'<desc id="{name}-desc">{ALT}</desc><style>{STYLE}</style>' + "\n".join(parts) + "</svg>\n"
    )


if __name__ == "__main__":
    (STATIC / "hero.svg").write_text(draw(WIDE, "hero-wide"), "utf8")
    (STATIC / "hero-phone.svg").write_text(draw(PHONE, "hero-phone"), "utf8")
