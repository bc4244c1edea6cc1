"""Examples are tests: those of the documentation, and those of docstrings."""

from sybil import Sybil
from sybil.document import PythonDocStringDocument
from sybil.parsers.doctest import DocTestParser

from tools.doc_examples import MarkdownExamples, enter, leave

PAGES = Sybil(
    parsers=[MarkdownExamples()],
    patterns=["README.md", "CONTRIBUTING.md", "docs/*.md", "docs/**/*.md"],
    setup=enter,
    teardown=leave,
)
DOCSTRINGS = Sybil(
    parsers=[DocTestParser()],
    pattern="src/leadcore/**/*.py",
    document_types={".py": PythonDocStringDocument},
)

pytest_collect_file = (PAGES + DOCSTRINGS).pytest()
