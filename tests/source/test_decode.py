from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.source.decode import Undecodable, decode, encode


@pytest.mark.parametrize(
    ("data", "text", "encoding", "bom", "newline"),
    [
        (b"x = 1\n", "x = 1\n", "utf-8", False, "\n"),
        (b"\xef\xbb\xbfx = 1\r\n", "x = 1\n", "utf-8", True, "\r\n"),
        (
            "# -*- coding: latin-1 -*-\ns = 'é'\n".encode("latin-1"),
            "# -*- coding: latin-1 -*-\ns = 'é'\n",
            "iso-8859-1",
            False,
            "\n",
        ),
        (
            "#!/usr/bin/python\n# vim: set fileencoding=cp1251 :\ns = 'ж'\n".encode("cp1251"),
            "#!/usr/bin/python\n# vim: set fileencoding=cp1251 :\ns = 'ж'\n",
            "cp1251",
            False,
            "\n",
        ),
        (b"x = 1\ry = 2\r", "x = 1\ny = 2\n", "utf-8", False, "\r"),
        (b"", "", "utf-8", False, "\n"),
        ("s = '日本'  # \x0c form feed stays\n".encode("shift_jis"), None, "", False, ""),
    ],
)
def test_python_bytes_are_read_as_python_reads_them(
    data: bytes, text: str | None, encoding: str, bom: bool, newline: str
) -> None:
    if text is None:
        with pytest.raises(Undecodable, match=r"invalid or missing encoding|decode"):
            decode(data)
        return
    found = decode(data)
    assert (found.text, found.encoding, found.bom, found.newline) == (text, encoding, bom, newline)
    assert encode(found.text, found.encoding, found.bom, found.newline) == data


@pytest.mark.parametrize(
    "data", [b"\xff\xfex\x00", b"x = '\x00'\n", b"# coding: klingon\n", b"# coding: rot13\nk = 1\n", b"\x80abc"]
)
def test_what_is_no_text_says_why(data: bytes) -> None:
    with pytest.raises(Undecodable):
        decode(data)


def test_text_that_the_encoding_cannot_hold_becomes_utf8_with_its_cookie() -> None:
    data = encode("# -*- coding: latin-1 -*-\ns = '→'\n", "iso-8859-1")
    assert data == "# -*- coding: utf-8 -*-\ns = '→'\n".encode()
    assert decode(data).text.endswith("'→'\n")


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0")),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
)
def test_text_survives_a_round_trip(text: str, newline: str, bom: bool) -> None:
    source = f"# first\n# second\n{text}"  # a cookie counts on the first two lines only
    assert decode(encode(source, "utf-8", bom, newline)).text == source
