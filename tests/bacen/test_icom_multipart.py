"""multipart/mixed between participant and SPI: exact round trip, strict grammar, bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bacen.icom import MultipartInvalid, Part, build_multipart, is_multipart, parse_multipart
from tests.bacen.wire_messages import patient

MIXED = "multipart/mixed; boundary=b"
bodies = st.binary(max_size=60) | st.sampled_from(
    [b"--corrente-0", b"\r\n--corrente-0\r\n", b"--corrente-0--", b"\r\n\r\n", b"", b"\r\n"]
)
resource_ids = st.text("0123456789abcdef-", min_size=1, max_size=36)


@given(
    st.lists(
        st.builds(Part, bodies, st.builds(lambda name: {"pi-resourceid": name}, resource_ids)),
        min_size=1,
        max_size=10,
    )
)
def test_parts_are_read_as_they_were_written(parts: list[Part]) -> None:
    content_type, body = build_multipart(parts)

    read = parse_multipart(content_type, body)

    assert [part.body for part in read] == [part.body for part in parts]
    assert [part.headers["pi-resourceid"] for part in read] == [
        part.headers["pi-resourceid"] for part in parts
    ]
    assert build_multipart(parts) == (content_type, body)


def test_part_has_the_content_type_of_icom() -> None:
    content_type, body = build_multipart([Part(b"<a/>")])

    assert parse_multipart(content_type, body)[0].headers == {
        "content-type": "application/xml; charset=utf-8"
    }


@pytest.mark.parametrize("count", [0, 11])
def test_number_of_parts_is_bounded_when_writing(count: int) -> None:
    with pytest.raises(MultipartInvalid):
        build_multipart([Part(b"x")] * count)


def test_header_cannot_smuggle_a_line() -> None:
    with pytest.raises(MultipartInvalid):
        build_multipart([Part(b"x", {"pi-resourceid": "1\r\nx: y"})])


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/mixed; boundary=b",
        'multipart/mixed; boundary="b"',
        "Multipart/Mixed;charset=utf-8; Boundary=b",
        'multipart/mixed; boundary="b"; charset=utf-8',
    ],
)
def test_content_type_may_be_spelled_in_any_usual_way(content_type: str) -> None:
    assert is_multipart(content_type)
    assert parse_multipart(content_type, b"--b\r\n\r\n1\r\n--b--")[0].body == b"1"


BROKEN = {
    "no boundary": ("multipart/mixed", b"--b\r\n\r\n1\r\n--b--"),
    "other type": ("application/xml; boundary=b", b"--b\r\n\r\n1\r\n--b--"),
    "boundary over 70": (f"multipart/mixed; boundary={'b' * 71}", b""),
    "empty": (MIXED, b""),
    "no part": (MIXED, b"--b--"),
    "no end": (MIXED, b"--b\r\n\r\n1\r\n--b\r\n\r\n2"),
    "text before": (MIXED, b"hello\r\n--b\r\n\r\n1\r\n--b--"),
    "text behind": (MIXED, b"--b\r\n\r\n1\r\n--b--\r\nhello"),
    "part behind the end": (MIXED, b"--b\r\n\r\n1\r\n--b--\r\n--b\r\n\r\n2\r\n--b--"),
    "line feeds only": (MIXED, b"--b\n\n1\n--b--"),
    "longer boundary": (MIXED, b"--bb\r\n\r\n1\r\n--bb--"),
    "no end of headers": (MIXED, b"--b\r\na: b\r\n--b--"),
    "malformed header": (MIXED, b"--b\r\na b\r\n\r\n1\r\n--b--"),
    "headers too large": (MIXED, b"--b\r\na: " + b"x" * 5000 + b"\r\n\r\n1\r\n--b--"),
    "eleven parts": (MIXED, b"--b\r\n\r\n1\r\n" * 11 + b"--b--"),
    "very many parts": (MIXED, b"--b\r\n\r\n1\r\n" * 100_000 + b"--b--"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_body_that_breaks_the_grammar_is_refused(name: str) -> None:
    with pytest.raises(MultipartInvalid):
        parse_multipart(*BROKEN[name])


@given(st.text(max_size=40), st.binary(max_size=100))
@patient
def test_garbage_gives_a_typed_error(parameter: str, body: bytes) -> None:
    for content_type in (parameter, f"multipart/mixed; boundary={parameter}"):
        with pytest.raises(MultipartInvalid):
            parse_multipart(content_type, body)
