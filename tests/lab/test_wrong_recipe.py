"""Wrong answers about data and one step, as readers write them from their own heads."""

import pytest
import torch
from torch.nn import functional as F

from bertlib.lab import examine


def split_at_blank_line(lines):
    return [part.strip().split("\n") for part in "".join(lines).split("\n\n")]


def no_final_document(lines):
    documents, current = [], []
    for line in lines:
        if line.strip() == "":
            if current:
                documents.append(current)
            current = []
        else:
            current.append(line.strip())
    return documents


def one_list_for_all(lines):
    documents, current = [], []
    for line in [*lines, ""]:
        if line.strip():
            current.append(line.strip())
        elif current:
            documents.append(current)
            current.clear()  # the document that was just put away is the same list
    return documents


def sentence_by_sentence(lines):
    return [[line.strip()] for line in lines if line.strip()]


def empty_row_in_front(sentences, size):
    rows, row = [], []
    for sentence in sentences:
        if len(row) + len(sentence) > size:
            rows.append(row)
            row = []
        row = row + sentence[:size]
    return [*rows, row]


def nothing_is_cut(sentences, size):
    rows = []
    for sentence in sentences:
        if rows and len(rows[-1]) + len(sentence) <= size:
            rows[-1] = rows[-1] + sentence
        else:
            rows.append(sentence)
    return rows


def best_fit(sentences, size):
    rows = []
    for sentence in sorted((s[:size] for s in sentences), key=len, reverse=True):
        home = next((row for row in rows if len(row) + len(sentence) <= size), None)
        if home is None:
            rows.append(list(sentence))
        else:
            home.extend(sentence)
    return rows


def into_the_callers_sentence(sentences, size):
    rows, row = [], None
    for sentence in sentences:
        if row is not None and len(row) + len(sentence) <= size:
            row += sentence
        else:
            row = sentence
            rows.append(row)
    return [row[:size] for row in rows]


def three_multiplications_forgotten(layers, hidden, vocabulary, texts, length, share):
    return texts * length * (layers * (24 * hidden**2 + 4 * length * hidden) + share * vocabulary * hidden)


def six_n(layers, hidden, vocabulary, texts, length, share):
    return 6 * (12 * layers * hidden**2 + vocabulary * hidden) * texts * length / 1e9


def in_plain_operations(layers, hidden, vocabulary, texts, length, share):
    block = 24 * hidden**2 + 4 * length * hidden
    return 3 * texts * length * (layers * block + share * (2 * hidden**2 + 2 * vocabulary * hidden))


def step_from_zero(weight, gradient, mean, square, step, rate, decay):
    mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
    size = (square / (1 - 0.999 ** (step - 1))).sqrt() + 1e-6
    return weight * (1 - rate * decay) - rate * mean / (1 - 0.9 ** (step - 1)) / size, mean, square


def corrected_memories(weight, gradient, mean, square, step, rate, decay):
    mean = (0.9 * mean + 0.1 * gradient) / (1 - 0.9**step)
    square = (0.999 * square + 0.001 * gradient**2) / (1 - 0.999**step)
    return weight * (1 - rate * decay) - rate * mean / (square.sqrt() + 1e-6), mean, square


def without_eps(weight, gradient, mean, square, step, rate, decay):
    mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
    size = (square / (1 - 0.999**step)).sqrt()
    return weight * (1 - rate * decay) - rate * mean / (1 - 0.9**step) / size, mean, square


def eps_of_pytorch(weight, gradient, mean, square, step, rate, decay):
    mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
    size = (square / (1 - 0.999**step)).sqrt() + 1e-8
    return weight * (1 - rate * decay) - rate * mean / (1 - 0.9**step) / size, mean, square


def without_decay(weight, gradient, mean, square, step, rate, decay):
    mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
    size = (square / (1 - 0.999**step)).sqrt() + 1e-6
    return weight - rate * mean / (1 - 0.9**step) / size, mean, square


def in_place(weight, gradient, mean, square, step, rate, decay):
    mean.mul_(0.9).add_(0.1 * gradient)
    square.mul_(0.999).add_(0.001 * gradient**2)
    size = (square / (1 - 0.999**step)).sqrt() + 1e-6
    return weight * (1 - rate * decay) - rate * mean / (1 - 0.9**step) / size, mean, square


def weights_only_by_name(model):
    names = [name for name, p in model.named_parameters() if p.requires_grad]
    return [n for n in names if n.endswith("weight")], [n for n in names if n.endswith("bias")]


def the_norm_by_its_name(model):
    names = [name for name, p in model.named_parameters() if p.requires_grad]
    spared = [n for n in names if "norm" in n.lower() or "bias" in n]
    return [n for n in names if n not in spared], spared


def parameters_instead_of_names(model):
    trainable = [p for p in model.parameters() if p.requires_grad]
    return [p for p in trainable if p.dim() > 1], [p for p in trainable if p.dim() < 2]


def mean_of_batch_means(model, pieces):
    """Part C, 12."""
    total = 0
    for inputs, labels in pieces:
        loss = F.cross_entropy(model(inputs), labels) / len(pieces)
        loss.backward()
        total += loss.item()
    return total


def divides_by_nothing(model, pieces):
    """Part C, 13."""
    count = sum(len(labels) for _, labels in pieces)
    total = sum(F.cross_entropy(model(x), y, reduction="sum") for x, y in pieces)
    loss = total.item() / count
    (total / count).backward()
    return loss


def backward_is_missing(model, pieces):
    count = sum(len(labels) for _, labels in pieces)
    if not count:
        raise ValueError("nothing is asked")
    return sum(F.cross_entropy(model(x), y, reduction="sum") for x, y in pieces) / count


def count_as_one_goes(model, pieces):
    count = 0
    for inputs, labels in pieces:
        count += len(labels)
        loss = F.cross_entropy(model(inputs), labels, reduction="sum") / max(count, 1)
        loss.backward()
    if not count:
        raise ValueError("nothing is asked")
    return loss.detach()


def in_the_callers_tensors(gradients, largest):
    norm = torch.stack([g.norm() for g in gradients]).norm()
    for gradient in gradients:
        gradient.mul_(min(1.0, largest / float(norm + 1e-6)))
    return gradients


def sum_of_norms(gradients, largest):
    norm = sum(gradient.norm() for gradient in gradients)
    return [gradient * largest / norm if norm > largest else gradient for gradient in gradients]


def always_down_to_one(gradients, largest):
    norm = torch.stack([g.norm() for g in gradients]).norm()
    return [gradient / norm if norm > largest else gradient for gradient in gradients]


def largest_number_decides(gradients, largest):
    top = max(gradient.abs().max() for gradient in gradients)
    return [gradient * largest / top if top > largest else gradient for gradient in gradients]


WRONG = {
    "read-documents": [split_at_blank_line, no_final_document, one_list_for_all, sentence_by_sentence],
    "pack-rows": [empty_row_in_front, nothing_is_cut, best_fit, into_the_callers_sentence],
    "step-flops": [three_multiplications_forgotten, six_n, in_plain_operations],
    "adamw-step": [step_from_zero, corrected_memories, without_eps, eps_of_pytorch, without_decay, in_place],
    "decay-groups": [weights_only_by_name, the_norm_by_its_name, parameters_instead_of_names],
    "accumulate": [mean_of_batch_means, divides_by_nothing, backward_is_missing, count_as_one_goes],
    "clip-gradient": [in_the_callers_tensors, sum_of_norms, always_down_to_one, largest_number_decides],
}
CASES = [(name, wrong) for name, answers in WRONG.items() for wrong in answers]


@pytest.mark.parametrize(("name", "wrong"), CASES, ids=[wrong.__name__ for _, wrong in CASES])
def test_it_is_rejected(name, wrong):
    report = examine(name, wrong)
    assert report.status in ("wrong", "error"), report.text
    assert "tried" in report.text


@pytest.mark.parametrize(
    ("name", "wrong", "says"),
    [
        ("accumulate", mean_of_batch_means, "mean of the pieces' means"),
        ("accumulate", divides_by_nothing, "a division by zero tells nobody why"),
        ("adamw-step", without_eps, "0 divided by 0 is NaN"),
        ("adamw-step", eps_of_pytorch, "moves by half a rate"),
        ("adamw-step", without_decay, "the weight does not decay"),
        ("adamw-step", in_place, "changed `mean`"),
        ("clip-gradient", always_down_to_one, "whatever `largest` says"),
        ("decay-groups", the_norm_by_its_name, "its dimensions would tell"),
        ("step-flops", in_plain_operations, "divide by 1e9"),
        ("pack-rows", into_the_callers_sentence, "changed `sentences`"),
    ],
)
def test_the_reason_is_told(name, wrong, says):
    assert says in " ".join(examine(name, wrong).text.split())
