"""Fail unless peer tests ran and none was skipped, by pytest's JUnit report."""

import sys
from xml.etree import ElementTree

cases = ElementTree.parse(sys.argv[1]).findall(".//testcase")
skipped = [f"{case.get('classname')}::{case.get('name')}" for case in cases if case.find("skipped") is not None]
if not cases or skipped:
    sys.exit("\n".join([f"{len(cases)} peer tests, {len(skipped)} skipped; none may be:", *skipped]))
print(f"{len(cases)} peer tests ran, none was skipped")
