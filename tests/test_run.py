"""The closing lines of `make test`: what they read from pytest's own reports."""

from __future__ import annotations

from pathlib import Path

from tests.run import counts, reruns

REPORT = """<testsuites><testsuite name="pytest" errors="1" failures="2" skipped="1" tests="6">
<testcase classname="a" name="second_try" /><testcase classname="a" name="second_try" />
<testcase classname="a" name="never" /><testcase classname="a" name="never"><failure message="no" /></testcase>
<testcase classname="a" name="ends_badly"><failure message="no" /></testcase>
<testcase classname="a" name="ends_badly"><error message="no" /></testcase>
<testcase classname="b" name="fine" /><testcase classname="b" name="never" />
<testcase classname="b" name="left"><skipped message="no" /></testcase>
</testsuite></testsuites>"""


def test_what_was_run_twice_is_named(tmp_path: Path) -> None:
    report = tmp_path / "browser.xml"
    report.write_text(REPORT)
    assert reruns(report) == ["a.second_try", "a.never"]
    assert counts(report) == (2, 3, 1)


def test_no_report_names_nothing(tmp_path: Path) -> None:
    assert reruns(tmp_path / "none.xml") == reruns(None) == []
