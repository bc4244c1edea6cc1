"""Examples are tests: those of the documentation, and those of docstrings."""

from sybil import Sybil
from sybil.document import PythonDocStringDocument
from sybil.parsers.doctest import DocTestParser
from sybil.sybil import SybilCollection

from tools.doc_examples import MarkdownExamples, enter, leave

TOP = Sybil(parsers=[MarkdownExamples()], patterns=["README.md", "CONTRIBUTING.md"], setup=enter, teardown=leave)
PAGES = Sybil(parsers=[MarkdownExamples()], path="docs", pattern="*.md", setup=enter, teardown=leave)
DOCSTRINGS = Sybil(
    parsers=[DocTestParser()],
    path="src/leadcore",
    pattern="*.py",
    document_types={".py": PythonDocStringDocument},
)

pytest_collect_file = SybilCollection([TOP, PAGES, DOCSTRINGS]).pytest()
