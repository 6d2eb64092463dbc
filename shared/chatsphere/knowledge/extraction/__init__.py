"""Reading files: from the bytes of a document to blocks of its canonical text.

The parent side (`extract_file`) finds out what the file is and starts a confined child process; the child
parses and writes blocks to a pipe. Parsers are imported in the child only.
"""

from chatsphere.knowledge.extraction.extract import Extraction, extract_file
from chatsphere.knowledge.extraction.limits import ExtractionLimits
from chatsphere.knowledge.extraction.protocol import Position

__all__ = ["Extraction", "ExtractionLimits", "Position", "extract_file"]
