"""`tf.keras.preprocessing.text`: words of texts and their ids, in plain Python."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from migrator.model import Helper
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import attribute, method, rule
from migrator.rules.engine.samples import Sample, block, declined_block, no_grad

_FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
words_of = Helper(
    "words_of",
    f'''def words_of(text, filters={_FILTERS!r}, lower=True, split=" "):
    """The words of a text; the characters of `filters` part them too."""
    text = text.lower() if lower else text
    parted = text.translate(str.maketrans(dict.fromkeys(filters, split)))
    return [word for word in parted.split(split) if word]
''',
)
Tokenizer = Helper(
    "Tokenizer",
    f'''class Tokenizer:
    """Ids of words by how often they occur, the commonest first; 0 is no word."""

    def __init__(
        self, num_words=None, filters={_FILTERS!r}, lower=True, split=" ", char_level=False, oov_token=None
    ):
        self.num_words, self.filters, self.lower, self.split = num_words, filters, lower, split
        self.char_level, self.oov_token = char_level, oov_token
        self.document_count = 0
        self.word_counts, self.word_docs, self.index_docs = {{}}, {{}}, {{}}
        self.word_index, self.index_word = {{}}, {{}}

    def words(self, text):
        """The words of a text, of a list its items, or characters."""
        if isinstance(text, list):
            return [word.lower() for word in text] if self.lower else text
        if self.char_level:
            return text.lower() if self.lower else text
        return words_of(text, self.filters, self.lower, self.split)

    def fit_on_texts(self, texts):
        for text in texts:
            self.document_count += 1
            words = self.words(text)
            for word in words:
                self.word_counts[word] = self.word_counts.get(word, 0) + 1
            for word in set(words):
                self.word_docs[word] = self.word_docs.get(word, 0) + 1
        ranked = sorted(self.word_counts, key=self.word_counts.get, reverse=True)
        known = ranked if self.oov_token is None else [self.oov_token, *ranked]
        self.word_index = {{word: number for number, word in enumerate(known, 1)}}
        self.index_word = {{number: word for word, number in self.word_index.items()}}
        for word, count in self.word_docs.items():
            self.index_docs[self.word_index[word]] = count

    def texts_to_sequences(self, texts):
        oov = self.word_index.get(self.oov_token)
        sequences = []
        for text in texts:
            ids = [self.word_index.get(word) for word in self.words(text)]
            kept = [oov if i is None or (self.num_words and i >= self.num_words) else i for i in ids]
            sequences.append([i for i in kept if i is not None])
        return sequences

    def sequences_to_texts(self, sequences):
        oov = self.word_index.get(self.oov_token)
        texts = []
        for sequence in sequences:
            ids = [oov if i not in self.index_word or (self.num_words and i >= self.num_words) else i for i in sequence]
            texts.append(" ".join(self.index_word[i] for i in ids if i is not None))
        return texts

    def texts_to_matrix(self, texts, mode="binary"):
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(self, sequences, mode="binary"):
        """A row for each sequence, a column for each id: marks, counts, shares or tf-idf weights."""
        columns = self.num_words or len(self.word_index) + 1
        matrix = np.zeros((len(sequences), columns))
        for row, sequence in zip(matrix, sequences):
            for i in {{i for i in sequence if i < columns}}:
                count = sequence.count(i)
                idf = np.log(1 + self.document_count / (1 + self.index_docs.get(i, 0)))
                weights = {{"binary": 1, "count": count, "freq": count / len(sequence)}}
                row[i] = (1 + np.log(count)) * idf if mode == "tfidf" else weights[mode]
        return matrix
''',
    ("import numpy as np",),
    (words_of,),
)

_API = "tf.keras.preprocessing.text.Tokenizer"
_CORPUS = """
texts = ['The cat sat; the cat ran!', 'A dog, a Dog\\tand the bird.', '', 'one_two the']
new = ['the DOG flew', 'cat cat bird', 'nothing known', '']
"""
_PARAMETERS = (
    "",
    "num_words=4",
    "num_words=4, oov_token='<unk>'",
    "oov_token='?', lower=False",
    "char_level=True, num_words=6",
    "6, filters='t', split='a'",
)


def _fitted(parameters: str, result: str) -> Sample:
    text = f"{_CORPUS}tokenizer = {_API}({parameters})\ntokenizer.fit_on_texts(texts)\nreturn {result}"
    return no_grad(block(text))


def _all(result: str) -> list[Sample]:
    return [_fitted(parameters, result) for parameters in _PARAMETERS]


@rule(
    _API,
    samples=[
        *_all("tokenizer.word_index, tokenizer.index_word, tokenizer.num_words, tokenizer.document_count"),
        _fitted("", "sorted(tokenizer.word_counts.items()), sorted(tokenizer.word_docs.items())"),
        _fitted("", "sorted(tokenizer.index_docs.items())"),
        declined_block(f"return {_API}(analyzer=str.split)"),
    ],
)
def tokenizer(
    num_words=None,
    filters='!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n',
    lower=True,
    split=" ",
    char_level=False,
    oov_token=None,
    analyzer=None,
):
    if analyzer is not None:
        raise Decline("an analyzer of its own")
    return Tokenizer(
        num_words=num_words, filters=filters, lower=lower, split=split, char_level=char_level, oov_token=oov_token
    )


@method(f"{_API}.fit_on_texts", samples=_all("tokenizer.word_index"))
def fit_on_texts(self, texts):
    return self.fit_on_texts(texts)


@method(
    f"{_API}.texts_to_sequences",
    samples=[*_all("tokenizer.texts_to_sequences(new)"), _fitted("", "tokenizer.texts_to_sequences([['the', 'cat']])")],
)
def texts_to_sequences(self, texts):
    return self.texts_to_sequences(texts)


@method(
    f"{_API}.sequences_to_texts",
    samples=_all("tokenizer.sequences_to_texts([[1, 2, 3], [9, 4], [], [100]])"),
)
def sequences_to_texts(self, sequences):
    return self.sequences_to_texts(sequences)


_MODES = ("'binary'", "mode='count'", "mode='freq'", "mode='tfidf'")


@method(
    f"{_API}.texts_to_matrix",
    samples=[_fitted(p, f"tokenizer.texts_to_matrix(new, {mode})") for mode in _MODES for p in _PARAMETERS[:3]],
)
def texts_to_matrix(self, texts, mode="binary"):
    return self.texts_to_matrix(texts, mode)


@method(f"{_API}.sequences_to_matrix", samples=_all("tokenizer.sequences_to_matrix([[1, 2, 2], [3], []], 'count')"))
def sequences_to_matrix(self, sequences, mode="binary"):
    return self.sequences_to_matrix(sequences, mode)


for _name in ("word_index", "index_word", "word_counts", "word_docs", "index_docs", "num_words", "document_count"):
    attribute(f"{_API}.{_name}", f"x.{_name}", samples=_all("tokenizer.word_index"))
for _name in ("oov_token", "lower", "filters", "split", "char_level"):
    attribute(f"{_API}.{_name}", f"x.{_name}", samples=_all("tokenizer.oov_token, tokenizer.char_level"))


def _words(*arguments: str) -> list[Sample]:
    name = "tf.keras.preprocessing.text.text_to_word_sequence"
    return [no_grad(block(f"return {name}({text})")) for text in arguments]


@rule(
    "tf.keras.preprocessing.text.text_to_word_sequence",
    samples=_words("'One, two\\tTHREE four.'", "'One-Two', lower=False, split='-'", "'a b', filters='a'"),
)
def to_words(input_text, filters='!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n', lower=True, split=" "):
    return words_of(input_text, filters=filters, lower=lower, split=split)
