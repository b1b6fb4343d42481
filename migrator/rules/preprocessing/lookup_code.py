"""The classes that look terms up in a vocabulary, as helpers of migrated files."""

from __future__ import annotations

from typing import Any

from migrator.model import Helper
from migrator.rules.preprocessing.encoding import encode_ids
from migrator.rules.preprocessing.hash_code import fingerprint64, siphash64

index_lookup: Any = Helper(
    "IndexLookup",
    '''class IndexLookup:
    """Ids of terms: the mask's first, then those of unknown terms, then the vocabulary by how often its terms occur."""

    def __init__(
        self,
        max_tokens=None,
        num_oov_indices=1,
        mask_token=None,
        oov_token=None,
        vocabulary=None,
        idf_weights=None,
        invert=False,
        output_mode="int",
        pad_to_max_tokens=False,
    ):
        self.max_tokens, self.pad_to_max_tokens = max_tokens, pad_to_max_tokens
        self.num_oov_indices, self.mask_token, self.oov_token = num_oov_indices, mask_token, oov_token
        self.invert, self.output_mode = invert, output_mode
        self.oov_start = int(mask_token is not None and output_mode == "int")
        self.start = self.oov_start + num_oov_indices
        self.tokens, self.ids, self.idf_weights = [], {}, None
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    def set_vocabulary(self, vocabulary, idf_weights=None):
        """Takes an array of terms, with or without the special ones in front, or a file of a term a line."""
        special = [self.mask_token] * self.oov_start + [self.oov_token] * self.num_oov_indices
        if isinstance(vocabulary, str):
            with open(vocabulary) as lines:
                vocabulary = [*special, *(self.term(line.rstrip("\\n")) for line in lines)]
        tokens = [self.term(t) for t in vocabulary]
        found = tokens[: self.start] == special
        self._learn(tokens[self.start :] if found else tokens)
        if idf_weights is not None:
            self._weigh(np.asarray(idf_weights, dtype="float64"), 0 if found else self.start)

    def _learn(self, tokens):
        if len(set(tokens)) < len(tokens) or (self.mask_token is not None and self.mask_token in tokens):
            raise ValueError("a repeated term, or the mask as a term")
        self.tokens, self.ids = tokens, {token: i for i, token in enumerate(tokens, self.start)}

    def _weigh(self, weights, padding):
        """Weights of the special terms are the mean of all others."""
        behind = max(self.max_tokens - padding - len(weights), 0) if self.pad_to_max_tokens else 0
        weights = np.concatenate([np.full(padding, weights.mean()), weights, np.zeros(behind)])
        self.idf_weights = torch.tensor(weights, dtype=torch.float32)

    def adapt(self, data, steps=None):
        """Learns the vocabulary of an array, a row a document, or of an iterable of batches."""
        self.learn(self.documents(data, steps))

    def learn(self, found):
        counts, documents, rows = Counter(), Counter(), 0
        for document in found:
            counts.update(document)
            documents.update(set(document))
            rows += 1
        for special in (self.mask_token, self.oov_token):
            counts.pop(special, None)
        tokens = sorted(counts, key=lambda t: (counts[t], t), reverse=True)
        self._learn(tokens[: self.max_tokens - self.start] if self.max_tokens else tokens)
        if self.output_mode == "tf_idf":
            self._weigh(np.log([1 + rows / (1 + documents[t]) for t in self.tokens]), self.start)

    def documents(self, data, steps=None):
        whole = isinstance(data, (list, tuple, np.ndarray, torch.Tensor))
        for batch in [data] if whole else itertools.islice(data, steps):
            terms = self.terms(batch)
            if terms.ndim < 2:
                terms = terms.reshape(-1, 1) if whole else terms.reshape(1, -1)
            for row in terms:
                yield list(row.ravel())

    def terms(self, data):
        """An array of the terms, of the data's shape."""
        data = data.cpu().numpy() if isinstance(data, torch.Tensor) else data
        array = data if isinstance(data, np.ndarray) else np.array(data, dtype=object)
        found = np.empty(array.shape, dtype=object)
        found.ravel()[:] = [self.term(t) for t in array.ravel()]
        return found

    def get_vocabulary(self, include_special_tokens=True):
        special = [self.mask_token] * self.oov_start + [self.oov_token] * self.num_oov_indices
        return [*special, *self.tokens] if include_special_tokens else list(self.tokens)

    def vocabulary_size(self):
        return self.start + len(self.tokens)

    def id_of(self, term):
        if self.mask_token is not None and term == self.mask_token:
            return 0 if self.output_mode == "int" else -1
        return self.ids[term] if term in self.ids else self.unknown(term)

    def unknown(self, term):
        if self.num_oov_indices == 0:
            raise ValueError(f"{term!r} is not in the vocabulary")
        return self.oov_start

    def token(self, index):
        if self.mask_token is not None and index == 0:
            return self.mask_token
        inside = self.start <= index < self.vocabulary_size()
        return self.tokens[index - self.start] if inside else self.oov_token

    def __call__(self, inputs):
        if self.invert:
            return self.inverted(torch.as_tensor(inputs))
        terms = self.terms(inputs)
        place = inputs.device if isinstance(inputs, torch.Tensor) else None
        ids = torch.tensor([self.id_of(t) for t in terms.ravel()], dtype=torch.long, device=place)
        return self.encoded(ids.reshape(terms.shape))

    def encoded(self, ids):
        depth = self.max_tokens if self.pad_to_max_tokens else self.vocabulary_size()
        if self.output_mode == "tf_idf":
            return encode_ids(ids, depth, "count") * self.idf_weights.to(ids.device)
        return encode_ids(ids, depth, self.output_mode)
''',
    ("import itertools", "from collections import Counter", "import numpy as np", "import torch"),
    (encode_ids,),
)
_BASE = (encode_ids, index_lookup)

StringLookup: Any = Helper(
    "StringLookup",
    '''class StringLookup(IndexLookup):
    """Ids of words; `invert`: the words of ids, as bytes."""

    def __init__(self, max_tokens=None, num_oov_indices=1, mask_token=None, oov_token="[UNK]", **options):
        super().__init__(max_tokens, num_oov_indices, mask_token, oov_token, **options)

    def term(self, value):
        return value.decode() if isinstance(value, bytes) else str(value)

    def inverted(self, ids):
        words = np.empty(ids.numel(), dtype=object)
        words[:] = [self.token(i).encode() for i in ids.flatten().tolist()]
        return words.reshape(ids.shape) if ids.dim() else words[0]
''',
    ("import numpy as np",),
    _BASE,
)
HashedStringLookup: Any = Helper(
    "HashedStringLookup",
    '''class HashedStringLookup(StringLookup):
    """Ids of words; unknown ones share a few ids by their hash."""

    def __init__(self, *args, salt=None, **options):
        super().__init__(*args, **options)
        self.salt = salt

    def unknown(self, term):
        code = fingerprint64(term.encode()) if self.salt is None else siphash64(term.encode(), self.salt)
        return self.oov_start + code % self.num_oov_indices
''',
    (),
    (*_BASE, StringLookup, fingerprint64, siphash64),
)
IntegerLookup: Any = Helper(
    "IntegerLookup",
    '''class IntegerLookup(IndexLookup):
    """Ids of numbers; `invert`: the numbers of ids."""

    def __init__(self, max_tokens=None, num_oov_indices=1, mask_token=None, oov_token=-1, **options):
        super().__init__(max_tokens, num_oov_indices, mask_token, oov_token, **options)

    def term(self, value):
        return int(value)

    def unknown(self, term):
        return super().unknown(term) if self.num_oov_indices < 2 else self.oov_start + term % self.num_oov_indices

    def inverted(self, ids):
        numbers = [self.token(i) for i in ids.flatten().tolist()]
        return torch.tensor(numbers, dtype=torch.long, device=ids.device).reshape(ids.shape)
''',
    ("import torch",),
    _BASE,
)
TextVectorization: Any = Helper(
    "TextVectorization",
    '''class TextVectorization:
    """Texts as the ids, marks, counts or weights of their words."""

    def __init__(
        self,
        max_tokens=None,
        standardize="lower_and_strip_punctuation",
        split="whitespace",
        ngrams=None,
        output_mode="int",
        output_sequence_length=None,
        pad_to_max_tokens=False,
        vocabulary=None,
        idf_weights=None,
    ):
        self.standardize, self.split = standardize, split
        self.ngrams = tuple(range(1, ngrams + 1)) if isinstance(ngrams, int) else ngrams
        self.output_mode, self.output_sequence_length = output_mode, output_sequence_length
        self.lookup = StringLookup(
            max_tokens,
            mask_token="",
            vocabulary=vocabulary,
            idf_weights=idf_weights,
            output_mode=output_mode,
            pad_to_max_tokens=pad_to_max_tokens,
        )
        self.set_vocabulary, self.get_vocabulary = self.lookup.set_vocabulary, self.lookup.get_vocabulary
        self.vocabulary_size = self.lookup.vocabulary_size

    def adapt(self, data, batch_size=None, steps=None):
        """Learns the vocabulary of an array of texts, or of an iterable of batches of them."""
        batches = [data] if isinstance(data, (list, tuple, np.ndarray)) else itertools.islice(data, steps)
        self.lookup.learn(self.words(text) for batch in batches for text in self.standardized(batch).ravel())

    def standardized(self, data):
        """An array of texts, which are bytes, cleaned. Only ASCII letters become small."""
        array = np.array(data, dtype=object)
        texts = np.empty(array.shape, dtype=object)
        texts.ravel()[:] = [t if isinstance(t, bytes) else str(t).encode() for t in array.ravel()]
        if callable(self.standardize):
            return np.array(self.standardize(texts), dtype=object).reshape(texts.shape)
        if self.standardize in ("lower", "lower_and_strip_punctuation"):
            texts.ravel()[:] = [t.lower() for t in texts.ravel()]
        if self.standardize in ("strip_punctuation", "lower_and_strip_punctuation"):
            marks = rb"""[!"#$%&()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~']"""
            texts.ravel()[:] = [re.sub(marks, b"", t) for t in texts.ravel()]
        return texts

    def words(self, text):
        """The words of one text. Only ASCII spaces divide."""
        if self.split is None:
            return [text.decode()]
        words = list(text.decode()) if self.split == "character" else [word.decode() for word in text.split()]
        if self.ngrams is None:
            return words
        return [" ".join(words[i : i + n]) for n in self.ngrams for i in range(len(words) - n + 1)]

    def __call__(self, inputs):
        texts = self.standardized(inputs)
        texts = texts.squeeze(-1) if self.split is not None and texts.ndim > 1 else texts
        rows = [[self.lookup.id_of(word) for word in self.words(text)] for text in texts.ravel()]
        if self.split is None:
            ids = torch.tensor([row[0] for row in rows], dtype=torch.long).reshape(texts.shape)
            length = self.output_sequence_length
            return self.lookup.encoded(ids if length is None else F.pad(ids, (0, length - ids.shape[-1])))
        width = self.output_sequence_length or max(map(len, rows), default=0)
        filler = 0 if self.output_mode == "int" else -1
        filled = [row[:width] + [filler] * (width - len(row)) for row in rows]
        return self.lookup.encoded(torch.tensor(filled, dtype=torch.long).reshape(*texts.shape, width))
''',
    ("import itertools", "import re", "import numpy as np", "import torch", "import torch.nn.functional as F"),
    (*_BASE, StringLookup),
)
