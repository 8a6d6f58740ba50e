"""Which language lessons are told in: what was asked for, else what the locale says as for any program's messages."""

from __future__ import annotations

import pytest

from netless_lab.course.places import choices, spoken
from netless_lab.errors import Refusal


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({}, ""),
        ({"LANG": "C.UTF-8"}, ""),
        ({"LANG": "POSIX"}, ""),
        ({"LANG": "zh_CN.UTF-8"}, "zh-CN"),
        ({"LANG": "de"}, "de"),
        ({"LANG": "ca_ES@valencia"}, "ca-ES"),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "en_US.UTF-8"}, "en-US"),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "", "LC_ALL": "C"}, ""),
        ({"LANG": "zh_CN.UTF-8", "NETLESS_LANG": "pt-BR"}, "pt-BR"),
        ({"LANG": "../../etc"}, ""),
    ],
)
def test_the_language_of_lessons(environ: dict[str, str], language: str) -> None:
    """NETLESS_LANG, else LC_ALL, LC_MESSAGES and LANG in this order; none of them is a reason to fail."""
    assert spoken(environ) == language


@pytest.mark.parametrize("named", ["Chinese", "zh_CN", "../x", "z"])
def test_what_is_no_language_is_refused(named: str) -> None:
    """Asked for by name, it is said how a language is written."""
    with pytest.raises(Refusal, match="pt-BR") as refused:
        spoken({"NETLESS_LANG": named})
    assert refused.value.code == 2


def test_a_country_is_content_with_its_language() -> None:
    """The nearest comes first."""
    assert choices("pt-BR") == ("pt-BR", "pt") and choices("zh") == ("zh",) and choices("") == ()
