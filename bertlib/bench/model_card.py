"""A shipped model in words: every number comes out of ``card.json``, none is written here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bertlib.bench.probes import PROFESSION
from bertlib.bench.sources import described, story_world
from bertlib.data.arrays import TokenCorpus
from bertlib.request import Request

MISSING = "not measured yet"


def shown(value: float | str | None, form: str = "{}") -> str:
    """Return a number in words, or that there is none."""
    return MISSING if value is None else form.format(value)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """Draw a Markdown table."""
    lines = [list(head), *map(list, rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return ["| " + " | ".join(line) + " |" for line in lines]


def data_facts(request: Request, corpus: TokenCorpus | None, valid: TokenCorpus) -> dict[str, Any]:
    """Return what was read: sources and what is known of them, sizes."""
    return {
        "sources": [described(source) for source in request.sources]
        or [story_world(request.language, request.world)],
        "held_out_sources": [described(source)["file"] for source in request.valid],
        "tokens": corpus.num_tokens if corpus else None,
        "documents": corpus.num_documents if corpus else None,
        "held_out_tokens": valid.num_tokens,
        "held_out_documents": valid.num_documents,
    }


def render(card: dict[str, Any]) -> str:
    """Return ``MODEL_CARD.md`` for what ``card.json`` holds."""
    sections = (head, results, data, training, answers, precision, use_and_limits, licence, making)
    return "\n\n".join("\n".join(section(card)) for section in sections) + "\n"


def head(card: dict[str, Any]) -> list[str]:
    """Say what it is and how to load it."""
    model = card["model"]
    case = "uncased" if model["lowercase"] else "cased"
    lengths = dict.fromkeys(str(facts["max_length"]) for facts in card["phases"])
    return [
        f"# {card['name']}",
        "",
        f"A BERT of {model['parameters']:,} parameters ({model['preset']}: {model['num_hidden_layers']} "
        f"blocks, width {model['hidden_size']}, {model['num_attention_heads']} heads), {case}, with a "
        f"vocabulary of {model['vocab_size']:,} word pieces. It takes texts of up to "
        f"{model['max_position_embeddings']} pieces and learned from texts of "
        f"{', then '.join(lengths)}. Both pre-training heads are in it.",
        "",
        "```python",
        "import bertlib",
        "",
        f'model, tokenizer = bertlib.load_pretrained("{card["name"]}")',
        f'bertlib.fill_mask(model, tokenizer, "{example(card)}")',
        "```",
    ]


def results(card: dict[str, Any]) -> list[str]:
    """Show the held-out numbers beside those of counting."""
    found, counted = card["held_out"], card["baselines"] or {}
    rows = [
        (
            "this model", f"{found['mlm_loss']:.3f}", f"{found['perplexity']:.1f}",
            f"{found['masked_accuracy']:.2%}",
        ),
        (
            "the commonest word", shown(counted.get("unigram_loss"), "{:.3f}"), "",
            shown(counted.get("unigram_accuracy"), "{:.2%}"),
        ),
        (
            "the commonest word after the left neighbour", "", "",
            shown(counted.get("bigram_accuracy"), "{:.2%}"),
        ),
    ]  # fmt: skip
    return [
        "## On text it has never seen",
        "",
        f"The whole held-out text, {found['masked_words']:,} masked word pieces, the weights as shipped:",
        "",
        *table(("", "loss (nats a masked piece)", "perplexity", "masked pieces guessed right"), rows),
        "",
        f"Next sentence told from another: {shown(found.get('nsp_accuracy'), '{:.2%}')} of "
        f"{found['pairs']:,} pairs (a coin: 50 %).",
    ]


def data(card: dict[str, Any]) -> list[str]:
    """List the texts."""
    facts = card["data"]
    rows = [(f"`{item['file']}`", item["content"], item["licence"]) for item in facts["sources"]]
    return [
        "## Data",
        "",
        *table(("file", "content", "licence as stated"), rows),
        "",
        f"{shown(facts['tokens'], '{:,}')} word pieces in {shown(facts['documents'], '{:,}')} documents to "
        f"learn from; {facts['held_out_tokens']:,} in {facts['held_out_documents']:,} documents held out.",
    ]


def training(card: dict[str, Any]) -> list[str]:
    """Tell the recipe and what it took, a column for each phase."""
    columns = [phase_rows(facts) for facts in card["phases"]]
    names = [f"phase {i}" for i in range(1, len(columns) + 1)] if len(columns) > 1 else [""]
    rows = [(same[0][0], *(value for _, value in same)) for same in zip(*columns, strict=True)]
    return ["## Training", "", *table(("", *names), rows)]


def example(card: dict[str, Any]) -> str:
    """Return a sentence to try, in a language that the model has read."""
    fixed = [item["text"] for item in card["says"]["fixed"]]
    return "She opened the [MASK] and went in." if fixed[0].isascii() else fixed[2]


def phase_rows(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what there is to say of a phase: names and values."""
    unfinished = facts["steps"] < facts["planned_steps"]
    return [
        ("steps", f"{facts['steps']:,}" + (f" of {facts['planned_steps']:,} planned" if unfinished else "")),
        ("texts a step", f"{facts['batch_size']:,} of {facts['max_length']} positions"),
        ("positions seen", f"{facts['positions_seen']:,}"),
        ("word pieces seen (about)", f"{facts['tokens_seen']:,}"),
        ("passes over the text (about)", shown(facts["passes"], "{:.1f}")),
        (
            "learning rate",
            f"{facts['learning_rate']:g} at its peak, {facts['warmup_share']:.0%} of the steps to get there",
        ),
        ("dropout, arithmetic, seed", f"{facts['dropout']:g}, {facts['precision']}, {facts['seed']}"),
        ("device", shown(facts["device"])),
        ("time by the clock", shown(facts["wall_seconds"], "{:,} s")),
        ("processor time of the process", shown(facts["cpu_seconds"], "{:,} s")),
        ("energy", energy(facts)),
    ]


def energy(facts: dict[str, Any]) -> str:
    """Say how much energy it took, and on what assumption."""
    if facts["energy_wh"] is None:
        return MISSING
    power = f"{facts['watts']:g} W ({facts['watts_source']})"
    return f"{facts['energy_wh']:g} Wh: {power} for that time by the clock"


def guessed(item: dict[str, Any]) -> str:
    """Write guesses in one cell, best first."""
    return ", ".join(f"`{cell(word)}` {share:.1%}" for word, share in item["guesses"])


def cell(text: str) -> str:
    """Keep a text from ending its cell."""
    return text.replace("|", "\\|")


def answers(card: dict[str, Any]) -> list[str]:
    """Show what it says, right or wrong."""
    says = card["says"]
    rows = [(cell(item["text"]), "", guessed(item)) for item in says["fixed"]]
    rows += [(cell(item["text"]), item["answer"], guessed(item)) for item in says["held_out"]]
    return [
        "## What it says",
        "",
        "Its five likeliest words, right or wrong. The first sentences were written before there was a "
        "model; those with an answer were drawn from held-out text.",
        "",
        *table(("sentence", "in the text", "guesses"), rows),
    ]


def precision(card: dict[str, Any]) -> list[str]:
    """Say what it costs to store weights in fewer bits."""
    rows = [
        (
            name,
            f"{item['bytes'] / 1e6:.1f}",
            f"{item['relative_weight_error']:.2e}",
            f"{item['mlm_loss']:.5f}",
            f"{item['loss_difference']:+.5f}",
        )
        for name, item in card["kinds"].items()
    ]
    size = card["files"]["model.safetensors"]
    return [
        "## Weights in fewer bits",
        "",
        f"The file holds {card['dtype']} ({size:,} bytes); loading turns it into fp32. In fp32 the held-out "
        f"loss was {card['held_out_fp32']['mlm_loss']:.5f}.",
        "",
        *table(("", "MB", "relative error of the weights", "held-out loss", "difference"), rows),
    ]


def use_and_limits(card: dict[str, Any]) -> list[str]:
    """Say what it is for and what to expect of it."""
    says = card["says"]
    jobs = [
        (PROFESSION.format(item["profession"]), f"{item['he']:.1%}", f"{item['she']:.1%}")
        for item in says["professions"]
    ]
    return [
        "## Meant for",
        "",
        "Learning how BERT works: filling blanks, looking at attention and at vectors, fine-tuning on small "
        "tasks, comparing with a model of one's own. Not for deciding anything about people, not for facts, "
        "not for texts that will be read as true.",
        "",
        "## Limits and biases",
        "",
        *(f"- {item['caution']}" for item in card["data"]["sources"] if item["caution"]),
        "- A model repeats what stands beside what, and so the stereotypes of its texts. Two, measured:",
        "",
        *table(("sentence", "guesses"), [(item["text"], guessed(item)) for item in says["people"]]),
        "",
        *(table(("sentence", "he", "she"), jobs) if jobs else [f"he or she after a profession: {MISSING}"]),
    ]


def licence(card: dict[str, Any]) -> list[str]:
    """Name whose text it was."""
    return [
        "## Licence and attribution",
        "",
        "Weights and vocabulary come under the licence of the package, Apache-2.0. They were computed from:",
        "",
        *(f"- {s['content']}: {s['licence']}. Source: {s['source']}." for s in card["data"]["sources"]),
    ]


def making(card: dict[str, Any]) -> list[str]:
    """Give the commands."""
    origin = card["provenance"]
    return [
        "## How it was made",
        "",
        "```bash",
        *(facts["command"] for facts in card["phases"]),
        origin["command"],
        "```",
        "",
        "The last line measured and wrote this page; it ran with "
        f"PyTorch {origin['torch']} and Python {origin['python']} on {origin['device']}. With a GPU, "
        "`python -m bertlib.bench.ship_run` does both in one go and replaces every file here; its docstring "
        "has the details.",
    ]
