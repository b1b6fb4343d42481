"""Text in migrated files: bytes where TensorFlow has a scalar, NumPy arrays of objects where it has more."""

from __future__ import annotations

from typing import Any

from migrator.model import Helper

text_of: Any = Helper(
    "text_of",
    '''def text_of(values):
    """Text as bytes; of lists and arrays an array of objects."""
    array = np.array(values, dtype=object)
    encoded = np.empty(array.shape, dtype=object)
    for index, value in np.ndenumerate(array):
        encoded[index] = value.encode() if isinstance(value, str) else value
    return encoded[()]
''',
    ("import numpy as np",),
)
map_text: Any = Helper(
    "map_text",
    '''def map_text(function, values):
    """`function` of each text, in the same shape."""
    array = np.asarray(text_of(values), dtype=object)
    result = np.empty(array.shape, dtype=object)
    for index, value in np.ndenumerate(array):
        result[index] = function(value)
    return result[()]
''',
    ("import numpy as np",),
    (text_of,),
)
numbers_of: Any = Helper(
    "numbers_of",
    '''def numbers_of(function, values, dtype):
    """The number that `function` gives of each text, as a tensor."""
    array = np.asarray(text_of(values), dtype=object)
    return torch.tensor([function(value) for value in array.flat], dtype=dtype).reshape(array.shape)
''',
    ("import numpy as np", "import torch"),
    (text_of,),
)
join_text: Any = Helper(
    "join_text",
    '''def join_text(parts, separator=""):
    """Texts side by side; arrays item by item."""
    between = np.array(text_of(separator), dtype=object)
    arrays = [np.array(text_of(part), dtype=object) for part in parts]
    return text_of(functools.reduce(lambda a, b: a + between + b, arrays))
''',
    ("import functools", "import numpy as np"),
    (text_of,),
)
split_text: Any = Helper(
    "split_text",
    '''def split_text(value, separator=None, maxsplit=-1):
    """The parts of one text, at white space or at a separator."""
    value = text_of(value)
    if not isinstance(value, bytes):
        raise TypeError("one text is split at a time")
    return text_of(value.split(text_of(separator) if separator else None, maxsplit))
''',
    (),
    (text_of,),
)
re2: Any = Helper(
    "re2",
    '''def re2(pattern):
    """A pattern as RE2 reads it: `$` is the end of the text, classes hold ASCII."""
    pattern = pattern.decode() if isinstance(pattern, bytes) else pattern
    return re.compile(re.sub(r"(?<!\\\\)\\$(?=\\)|\\||$)", r"\\\\Z", pattern), re.ASCII)
''',
    ("import re",),
)
regex_replace: Any = Helper(
    "regex_replace",
    '''def regex_replace(values, pattern, rewrite, replace_global=True):
    """Each text with the matches of a pattern replaced, or the first of them."""
    compiled = re2(pattern)
    if compiled.search("") is not None:
        raise ValueError(f"{pattern} matches nothing at all")
    rewrite = text_of(rewrite).decode().replace("\\\\0", "\\\\g<0>")

    def replaced(value):
        text = compiled.sub(rewrite, value.decode(errors="surrogateescape"), 0 if replace_global else 1)
        return text.encode(errors="surrogateescape")

    return map_text(replaced, values)
''',
    (),
    (re2, map_text, text_of),
)
regex_matches: Any = Helper(
    "regex_matches",
    '''def regex_matches(values, pattern):
    """Whether the whole of each text matches a pattern."""
    compiled = re2(pattern)
    return numbers_of(lambda text: bool(compiled.fullmatch(text.decode(errors="surrogateescape"))), values, torch.bool)
''',
    ("import torch",),
    (re2, numbers_of, text_of),
)
substring: Any = Helper(
    "substring",
    '''def substring(values, start, length, decode=False):
    """`length` bytes of each text from `start` on, or as many characters where it is decoded."""

    def part(value):
        value = value.decode() if decode else value
        if not -len(value) <= start <= len(value):
            raise IndexError(f"{start} is out of range for {value!r}")
        begin = start if start >= 0 else start + len(value)
        found = value[begin : begin + length]
        return found.encode() if decode else found

    return map_text(part, values)
''',
    (),
    (map_text, text_of),
)
reduce_join: Any = Helper(
    "reduce_join",
    '''def reduce_join(values, axis=None, separator=""):
    """Texts joined along an axis, or all of them."""
    array, between = np.asarray(text_of(values), dtype=object), text_of(separator)
    if axis is None:
        return between.join(array.flat)
    rows = np.moveaxis(array, axis, -1)
    joined = np.empty(rows.shape[:-1], dtype=object)
    for index in np.ndindex(joined.shape):
        joined[index] = between.join(rows[index])
    return joined[()]
''',
    ("import numpy as np",),
    (text_of,),
)
text_equal: Any = Helper(
    "text_equal",
    '''def text_equal(a, b):
    """Whether texts are the same; arrays item by item."""
    a, b = np.array(text_of(a), dtype=object), np.array(text_of(b), dtype=object)
    return torch.as_tensor(np.equal(a, b).astype(bool))
''',
    ("import numpy as np", "import torch"),
    (text_of,),
)
characters: Any = Helper(
    "characters",
    '''def characters(value):
    """The characters of one text."""
    value = text_of(value)
    if not isinstance(value, bytes):
        raise TypeError("one text is split at a time")
    return value.decode()
''',
    (),
    (text_of,),
)
as_text: Any = Helper(
    "as_text",
    '''def as_text(values, digits=6):
    """Numbers as text: so many digits behind the point of floats, truth as true and false."""
    array = np.asarray(torch.as_tensor(values).detach().cpu())
    spec = f".{digits}f" if array.dtype.kind == "f" else ""
    texts = [str(v).lower() if isinstance(v, bool) else format(v, spec) for v in array.ravel().tolist()]
    return text_of(np.array(texts, dtype=object).reshape(array.shape))
''',
    ("import numpy as np", "import torch"),
    (text_of,),
)
