"""word2vec: a vector for every word, learned from the company it keeps.

Mikolov et al. 2013a (CBOW and skip-gram) and 2013b (negative sampling, subsampling). Two tables, one for
words and one for contexts, no layer between. It does not say which word comes next: it has no perplexity.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bertlib.errors import ConfigError, InputError
from bertlib.history.corpus import Corpus, check_corpus
from bertlib.history.neural import Learner
from bertlib.history.training import Training, train
from bertlib.seeds import seeded

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass(frozen=True, kw_only=True)
class Word2VecConfig:
    """What is learned from what.

    Attributes:
        size: width of a vector.
        window: words to either side, at most: each place draws its own from 1 to this.
        negatives: false contexts a true one.
        subsample: words above this share of the text are left out at times; the paper takes about 1e-5 for
            its billion words, the released code 1e-3.
        cbow: guess the word from the mean of its contexts; False: skip-gram, each context from the word.

    Raises:
        ConfigError: a size below 1, ``subsample`` not above 0.
    """

    size: int = 64
    window: int = 5
    negatives: int = 5
    subsample: float = 1e-3
    cbow: bool = False

    def __post_init__(self) -> None:
        if min(self.size, self.window, self.negatives) < 1 or not self.subsample > 0:
            raise ConfigError(
                f"size {self.size}, window {self.window}, negatives {self.negatives}, subsample "
                f"{self.subsample}: expected at least 1 of each, and a subsample above 0"
            )


class Word2Vec(Learner):
    """Skip-gram or CBOW with negative sampling.

    Contexts that subsampling leaves out do not make room for others further off.

    Args:
        vocab_size: V.
        config: what is learned from what.
        training: the recipe; a batch is a number of places in the text.
    """

    RECIPE = Training(epochs=5, batch_size=1024, learning_rate=1e-2, weight_decay=0.0)

    def __init__(
        self, vocab_size: int, config: Word2VecConfig | None = None, *, training: Training = RECIPE
    ) -> None:
        super().__init__(vocab_size, training)
        self.config = config or Word2VecConfig()
        self.words = nn.Embedding(vocab_size, self.config.size)
        self.contexts = nn.Embedding(vocab_size, self.config.size)
        with seeded(training.seed, torch.device("cpu")):
            nn.init.uniform_(self.words.weight, -0.5 / self.config.size, 0.5 / self.config.size)
        nn.init.zeros_(self.contexts.weight)

    def fit(self, corpus: Corpus, *, progress: bool = False) -> Self:
        """Learn from rows of ids; no window reaches over the end of a row.

        Raises:
            CorpusError: no rows.
            InputError: an id outside the vocabulary.
        """
        check_corpus(corpus, self.vocab_size)
        text = Text.of(corpus, self.config, self.vocab_size, self.device)

        def losses(places: Tensor, generator: torch.Generator) -> Iterator[Tensor]:
            yield self.loss(text, places.to(text.ids.device), generator)

        dealer = torch.Generator().manual_seed(self.training_recipe.seed)
        places = torch.randperm(len(text.ids), generator=dealer)
        batches = places.split(self.training_recipe.batch_size)
        train(self, losses, batches, self.training_recipe, progress=progress)
        self.fitted.fill_(True)
        return self

    def loss(self, text: Text, places: Tensor, generator: torch.Generator) -> Tensor:
        """Return -log σ(true) - Σ log σ(-false), the mean over all pairs (Mikolov et al. 2013b, equation 4).

        Args:
            text: what is read.
            places: (B,) where in it.
            generator: draws windows, gaps and false contexts.
        """
        contexts, kept = windows(text, places, self.config.window, generator)  # (B, 2w) each
        if self.config.cbow:
            places, contexts, kept = places[kept.any(1)], contexts[kept.any(1)], kept[kept.any(1)]
            weights = kept / kept.sum(1, keepdim=True)
            source = (weights[:, :, None] * self.words(contexts)).sum(1)  # (P, size): the mean
            target = text.ids[places]
        else:
            source = self.words(text.ids[places])[:, None].expand(*kept.shape, -1)[kept]  # (P, size)
            target = contexts[kept]
        false = draw(text.noise, (len(target), self.config.negatives), generator)  # (P, negatives)
        true_scores = (source * self.contexts(target)).sum(-1)
        false_scores = torch.einsum("ps,pns->pn", source, self.contexts(false))
        total = F.logsigmoid(true_scores).sum() + F.logsigmoid(-false_scores).sum()
        return -total / max(len(target), 1)

    @property
    def vectors(self) -> np.ndarray:
        """The vector of every word, (V, size).

        Raises:
            TrainingError: nothing was learned yet.
        """
        self.check_fitted()
        return self.words.weight.detach().cpu().numpy()


class Text(NamedTuple):
    """The rows behind one another, and what is drawn from their counts."""

    ids: Tensor  # (N,)
    rows: Tensor  # (N,) number of the row that each id stands in
    keep: Tensor  # (V,) how likely a context is not left out
    noise: Tensor  # (V,) cumulative: how likely false contexts are

    @classmethod
    def of(cls, corpus: Corpus, config: Word2VecConfig, vocab_size: int, device: torch.device) -> Text:
        """Count; the noise is the share of each word to the power 3/4 (Mikolov et al. 2013b, section 2.2)."""
        ids = torch.from_numpy(np.concatenate(corpus).astype(np.int64)).to(device)
        lengths = torch.tensor([len(row) for row in corpus], device=device)
        rows = torch.arange(len(corpus), device=device).repeat_interleave(lengths)
        counts = torch.bincount(ids, minlength=vocab_size).double()
        share = counts / counts.sum()
        keep = (config.subsample / share.clamp(min=1e-12)).sqrt().clamp(max=1)  # section 2.3, equation 5
        noise = counts**0.75
        return cls(ids, rows, keep, (noise / noise.sum()).cumsum(0))


def windows(text: Text, places: Tensor, widest: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return the words around each place and which of them count: (B, 2w) ids and booleans."""
    device = text.ids.device
    offsets = torch.tensor([*range(-widest, 0), *range(1, widest + 1)], device=device)
    around = places[:, None] + offsets  # (B, 2w)
    inside = around.clamp(0, len(text.ids) - 1)
    contexts = text.ids[inside]
    reach = torch.randint(1, widest + 1, (len(places), 1), generator=generator, device=device)
    lots = torch.rand(contexts.shape, generator=generator, device=device)
    own_lots = torch.rand(places.shape, generator=generator, device=device)[:, None]
    kept = (around == inside) & (text.rows[inside] == text.rows[places][:, None]) & (offsets.abs() <= reach)
    return contexts, kept & (lots < text.keep[contexts]) & (own_lots < text.keep[text.ids[places]][:, None])


def draw(cumulative: Tensor, shape: tuple[int, int], generator: torch.Generator) -> Tensor:
    """Draw ids from cumulative probabilities, by bisection."""
    lots = torch.rand(shape, generator=generator, device=cumulative.device, dtype=cumulative.dtype)
    return torch.searchsorted(cumulative, lots).clamp(max=len(cumulative) - 1)


class Neighbour(NamedTuple):
    """A word and how near it is."""

    word: str
    cosine: float


class WordVectors:
    """Any table of static vectors with the words it belongs to: word2vec's, or BERT's own input table.

    Args:
        words: the vocabulary, V words.
        vectors: (V, size).

    Raises:
        InputError: not as many words as vectors.
    """

    def __init__(self, words: Sequence[str], vectors: np.ndarray) -> None:
        if len(words) != len(vectors):
            raise InputError(f"{len(words)} words for {len(vectors)} vectors; expected as many")
        self.words, self._ids = list(words), {word: i for i, word in enumerate(words)}
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        self._units = vectors / np.maximum(lengths, 1e-12)

    def nearest(self, word: str, *, top: int = 5) -> list[Neighbour]:
        """Return the words whose vectors point most nearly the same way.

        Raises:
            InputError: a word without a vector.
        """
        return self._near(self._unit(word), {word}, top)

    def analogy(self, a: str, b: str, c: str, *, top: int = 5) -> list[Neighbour]:
        """Return what is to ``c`` as ``b`` is to ``a``: near b - a + c (Mikolov et al. 2013a, section 4).

        The three words themselves are left out, as in the paper; else the answer is often one of them
        (Nissim et al. 2020).

        Raises:
            InputError: a word without a vector.
        """
        return self._near(self._unit(b) - self._unit(a) + self._unit(c), {a, b, c}, top)

    def _unit(self, word: str) -> np.ndarray:
        if word not in self._ids:
            raise InputError(f"there is no vector for {word!r}; it is no word of this vocabulary")
        return self._units[self._ids[word]]

    def _near(self, vector: np.ndarray, without: set[str], top: int) -> list[Neighbour]:
        cosines = self._units @ (vector / max(float(np.linalg.norm(vector)), 1e-12))
        order = (i for i in np.argsort(-cosines) if self.words[i] not in without)
        return [Neighbour(self.words[i], float(cosines[i])) for _, i in zip(range(top), order, strict=False)]
